"""Makes test/fixtures/nodes/cases/text.safetensors: ComfyUI's nodes of texts, numbers, logic and lists.

Usage: COMFY=... TORCHSDE=... PYTHONPATH=REF python tools/reference/text_cases.py [OUT]   (REF holds comfy_env.py)
"""
import sys

from node_case_file import CaseFile, Listed, Typed

file = CaseFile()
case = file.case
TEXTS = ("", "Hello, World", "straße ΑΣ ǆ ﬁn", "  \tpadded\u3000\n", "o'neil's éclair 2nd-hand naïve", "a😀b😀c", "one two  three\nFOUR five")

for text in TEXTS:
    case("StringLength", string=text)
    case("StringConcatenate", string_a=text, string_b="x", delimiter=", ")
    for mode in ("UPPERCASE", "lowercase", "Capitalize", "Title Case"): case("CaseConverter", string=text, mode=mode)
    for mode in ("Both", "Left", "Right"): case("StringTrim", string=text, mode=mode)
    for start, end in ((0, 3), (-3, -1), (2, 100), (5, 2), (-100, 4)): case("StringSubstring", string=text, start=start, end=end)
    for find, replace in (("o", "0"), ("", "-"), ("two", "2\\1"), ("😀", "")): case("StringReplace", string=text, find=find, replace=replace)
    for part in ("", "wORLD", "o", "😀"):
        for sensitive in (True, False):
            case("StringContains", string=text, substring=part, case_sensitive=sensitive)
            for mode in ("Starts With", "Ends With", "Equal"): case("StringCompare", string_a=text, string_b=part, mode=mode, case_sensitive=sensitive)

SUBJECT = "The cat sat; the Dog-1 ran 42 times at 3.14 speed.\nA line: key=value, other_key = 'x y'\nÉté naïve 日本 ４２\n"
PATTERNS = (r"cat", r"(\w+)=(\w+)", r"\d+", r"^\w+", r"\w+$", r"(?P<first>[A-Z])\w*(?P<rest>\s)", r"[^\W\d_]+", r"(?i)THE", r".+", r"\bD\w+-\d\b", r"a{2,}|t{1}", r"(a)|(t)", r"(", r"[z-a]", r"x*", r"\s+",
            r"(?<=key)=", r"(?<!other_)key", r"(?<=a+)b", r"(\w)\1", r"'[^']*'", r"(?:cat|Dog)-?(\d)?", r"[\]\-]", r"\Z", r"(?>a+)t", r"\w++", r"[\W]+", r"[^\s\w]", r"(?x) k e y # a comment", r"\x63at|\u00e9", r"a{,2}t", r"\.", r"[]=]",
            r"(?P<a>.)(?P=a)", r"(?=T)The", r"\B-\B", r"*a", r"a**", r"\p", r"(?P<1>a)", r"\4", r"é", r"É", r"{", r"a{x}", r"日本|４+")
FLAGS = (dict(case_insensitive=True, multiline=False, dotall=False), dict(case_insensitive=False, multiline=True, dotall=False), dict(case_insensitive=False, multiline=False, dotall=True))
for index, pattern in enumerate(PATTERNS):
    for turn, mode in enumerate(("First Match", "All Matches", "First Group", "All Groups")):
        if mode == "First Group" and pattern == "(a)|(t)": continue  # gives None, which no input of a text takes
        case("RegexExtract", string=SUBJECT, regex_pattern=pattern, mode=mode, group_index=1 + index % 2, **FLAGS[(index + turn) % 3])
    case("RegexMatch", string=SUBJECT, regex_pattern=pattern, **FLAGS[index % 3])
    for flags in FLAGS: case("RegexReplace", string=SUBJECT, regex_pattern=pattern, replace="<\\g<0>>", **flags)
case("RegexExtract", string="abc", regex_pattern="b", mode="First Group", case_insensitive=True, multiline=False, dotall=False, group_index=0)
for replace in (r"\2-\1", r"\g<1>\n", r"\\x", r"\g<name>", r"\9", r"\q", "$1&", r"\0", r"\x", r"\101"):
    case("RegexReplace", string=SUBJECT, regex_pattern=r"(\w+)=(?P<name>\w+)", replace=replace, count=1)
case("RegexReplace", string="abxd", regex_pattern="x*", replace="-")
case("RegexReplace", string="a😀b", regex_pattern="", replace="-", count=2)
case("RegexReplace", string="aAbB", regex_pattern="[ab]", replace="_", count=3)

for key in ("a", "b", "n", "t", "l", "o", "missing", "f", "big"):
    case("JsonExtractString", json_string='{"a": 1, "b": 1.0, "n": null, "t": true, "l": [1, "x", 2.50, null], "o": {"k": "it\'s", "e": []}, "f": 1e-7, "big": 12345678901234567890}', key=key)
for text in ("[1]", "{", '"text"', "{'a': 1}", '{"a": NaN}'): case("JsonExtractString", json_string=text, key="a")
for indent in (0, 2, 5):
    data = {"name": "Ünï \u2028", "items": [1, 2, [3, []]], "empty": {}, "none": None, "yes": True, "deep": {"x": {"y": "z"}}}
    case("ConvertDictionaryToString", dictionary=Typed("DICT", data), indent=indent)
    case("ConvertArrayToString", array=Typed("ARRAY", [data, "a\"b", []]), indent=indent)

for template, values in (("{a}", dict(a=5)), ("{a}", dict(a=5.0)), ("{a} {b!r} {c!s:>5}|", dict(a="x", b="y'z", c=True)), ("{{{a}}}", dict(a=1)), ("{a:05d} {a:x} {a:#b} {a:,} {a:+}", dict(a=1234567)),
                         ("{a:.2f} {a:10.3e} {a:<8.1f}| {a:%} {a:g} {a:.3} {a:^+12,.2f}|", dict(a=1234.5)), ("{a:*^9}", dict(a="mid")), ("{a:.2}", dict(a="cut")), ("{a[0]}{a[1]}", dict(a="xy")), ("{a:{b}.{c}f}", dict(a=3.14159, b=8, c=2)),
                         ("{b}", dict(a=1)), ("{a:q}", dict(a=1)), ("{", dict(a=1)), ("}", dict(a=1)), ("{}", dict(a=1)), ("{a:.0f} {b:.0f} {c:.1f}", dict(a=0.5, b=1.5, c=0.25)), ("{a:08.2f} {a:_} {b:_x}", dict(a=-1234.5, b=0xDEADBEEF)),
                         ("{a:d}", dict(a=True)), ("{a:5}|{b:<5}|", dict(a=True, b=7)), ("{a!a}", dict(a="é😀")), ("{a:e} {a:.10g}", dict(a=0.1)), ("{a:c}", dict(a=65)), ("{a:.3g} {b:.3g} {c:.3g}", dict(a=99.96, b=1e-5, c=123456.0)), ("{a:=+8}|{a: }", dict(a=5)),
                         ("{a:012,}", dict(a=12345)), ("{a}", dict(a=1e22)), ("{a}", dict(a=False)), ("{a:.2f}", dict(a=7))):
    case("StringFormat", f_string=template, **{f"values.{name}": value for name, value in values.items()})
case("StringFormat", f_string="{a:.1f} {b}", **{"values.a": Typed("FLOAT", 2.0), "values.b": Typed("FLOAT", 2.0)})
case("StringFormat", f_string="{a} {b}", **{"values.a": Typed("INT", 2), "values.b": Typed("STRING", "x")})

EXPRESSIONS = ("a + b", "a / b", "a // b", "a % b", "-a ** 2", "a ** -1", "a if a > b else b", "min(a, b)", "max(values)", "sum(values)", "sum(a, b, 1)", "round(a / b, 2)", "round(a * 0.5)", "sqrt(a)", "ceil(a / b)", "floor(-a / b)",
               "log(a)", "log(a, 2)", "log2(a)", "log10(a)", "sin(a) + cos(b) * tan(a)", "abs(-a)", "int(a / b)", "float(a)", "pow(a, b)", "pow(a, 5000)", "a > b and b", "a < b or not b", "a == b", "1 < a < 10", "a != b", "(a, b)", "[a, b][1]", "a.real",
               "c", "a +", "__import__('os')", "'x' * 3", "len(values)", "1_000 + 0x10 + 1e3", "a & 3 | 8 ^ 1", "a << 2", "~a", "values[-1]", "a in values", "2 ** 70", "True + True", "1/0", "a if b", "9007199254740993", "1e400", "")
for expression in EXPRESSIONS:
    for a, b in ((7, 2), (7.5, -2), (-7, 3), (0, 1.5)):
        case("ComfyMathExpression", expression=expression, **{"values.a": a, "values.b": b})
case("ComfyMathExpression", expression="a + b", **{"values.a": Typed("FLOAT", 2.0), "values.b": Typed("INT", 9007199254740993)})
case("ComfyMathExpression", expression="a * 3", **{"values.a": True})
for value in (5, -5, 5.75, -5.75, True, False, "12", " 12.9 ", "1e3", "-1_000", "abc", "", "nan", "inf", "9007199254740993", 9007199254740993, 1e17): case("ComfyNumberConvert", value=value)
for value in (0, 42, 9223372036854775807): case("SeedNode", seed=value)
for ratio in ("1:1 (Square)", "2:3 (Portrait Photo)", "16:9 (Widescreen)", "21:9 (Ultrawide)"):
    for size, multiple in ((1.0, 8), (0.3, 64), (2.5, 20)): case("ResolutionSelector", aspect_ratio=ratio, megapixels=size, multiple=multiple)
for color in ("#ffffff", "#12AbEf", "#01020380", "red", "#12345", "#gggggg"): case("ColorToRGBInt", color=color)

for value in (0, 1, 0.0, "", "x", False, True, "False"): case("ComfyNotNode", value=value)
for values in ((True, 1, "x"), (True, 0), ("",), (0.0, 0, "", 2)):
    for name in ("ComfyAndNode", "ComfyOrNode"): case(name, **{f"values.value{index}": value for index, value in enumerate(values)})
for more in ({}, dict(index=3, option1="a", option2="b"), dict(index=0)): case("CustomCombo", choice="b", **more)
case("CreateList", **{"inputs.input0": Listed([1, 2]), "inputs.input1": Listed(["x"])})
case("CreateList", **{"inputs.input0": Listed([0.5])})
case("CreateList", **{"inputs.input0": 3, "inputs.input1": 4, "inputs.input2": Listed(["a", "b"])})
for text in ("plain ü", '{"a": [1, 2.50, "é"], "b": {}}', "{not json", "a\r\nb\n", ""):
    for form in ("txt", "md", "json"): file.saving("SaveText", text=Typed("STRING", text), filename_prefix="sub/note", format=form)
file.save(sys.argv[1] if len(sys.argv) > 1 else "test/fixtures/nodes/cases/text.safetensors")
