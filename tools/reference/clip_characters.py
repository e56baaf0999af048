"""Makes test/fixtures/clip/characters.json: tokens of CJK, zero-width, control and other characters that tokenizers differ in.

Usage: python clip_characters.py COMFY/comfy/sd1_tokenizer OUT   (transformers 5)
"""
import json,sys,random
from transformers import CLIPTokenizer
t=CLIPTokenizer.from_pretrained(sys.argv[1])
texts=["猫 a cat","猫が好き","東京タワー pixel art","高清细节","日本語English混じり","한국어 텍스트","zero\u200bwidth","a\u200db","soft\u00adhyphen","\ufeffbom","control\u0007bell","nul\u0000char","tab\tnew\nline\r","del\u007fete","\u0085next line","no-break\u00a0space","ideographic\u3000space","em\u2003space","line\u2028sep","a\u0301 combining","e\u0301","\u202eright to left","emoji 👩‍👩‍👧 family","🇩🇪 flag","ﬁ ligature","Ⅷ roman","①②③","½ cup","ＡＢＣ fullwidth","İstanbul","ΣΑΣ","straße ẞ","ไทย ภาษา","हिन्दी","العربية ١٢٣","עברית","\u2060joiner","variation\ufe0f","private\ue000use","surrogate 𝕬𝖇","𠮷野家","\ufffdreplacement","a\u2011b","\u061cmark","word\u200e\u200f"]
random.seed(3)
pool=[chr(c) for c in list(range(0,160))+list(range(0x200b,0x2010))+list(range(0x2028,0x2030))+list(range(0x3000,0x3020))+list(range(0x4e00,0x4e40))+list(range(0xac00,0xac20))+[0xfeff,0xad,0x85,0xa0,0x1f600,0x1f468,0x200d,0xfe0f,0xe000,0x300,0x301,0x323]]
for _ in range(65): texts.append("".join(random.choice(pool) for _ in range(random.randint(1,12))))
cases = [json.dumps({"text": x, "tokens": t(x)["input_ids"][1:-1]}) for x in texts]
open(sys.argv[2], "w").write("[\n" + ",\n".join(cases) + "\n]\n")
