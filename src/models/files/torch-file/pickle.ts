/**
 * A reader of Python pickles that can run nothing: a stack machine over the opcodes that torch's writer uses (CPython
 * Lib/pickletools.py describes them). Names and calls are decided by `PickleHost`; any other opcode is refused.
 */
import { PickleReader } from './pickle-reader.js';
import {
  DescribedObject,
  Inert,
  PickleError,
  PickleTuple,
  type GlobalName,
  type PickleDict,
  type PickleValue,
} from './values.js';

/** Who says what names and calls mean. Each method throws `PickleError` for what it doesn't allow. */
export interface PickleHost {
  global(module: string, name: string): GlobalName;
  call(callee: PickleValue, args: readonly PickleValue[]): PickleValue;
  persistent(id: PickleValue): PickleValue;
}

/**
 * Values pushed or remembered, each container counting for eight more and each call for what it is given: a real checkpoint of
 * 10 000 tensors needs a fifth.
 */
const mostWork = 2_000_000;
const containerWork = 8;
/** What no weights are made of; each would be an object of its own. */
const someBytes = new Inert('bytes');

/** Opcodes that build objects by running their classes' code, for the message that refuses them. */
const refusedOpcodes: Readonly<Record<number, string>> = {
  0x69: 'INST',
  0x6f: 'OBJ',
  0x92: 'NEWOBJ_EX',
  0x82: 'EXT1',
  0x83: 'EXT2',
  0x84: 'EXT4',
  0x50: 'PERSID',
  0x96: 'BYTEARRAY8',
  0x97: 'NEXT_BUFFER',
  0x98: 'READONLY_BUFFER',
};

/** The object that the pickle at `start` of `bytes` describes, and where the pickle ends. Throws `PickleError`. */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  host: PickleHost,
): { readonly value: PickleValue; readonly end: number } {
  const reader = new PickleReader(bytes, start);
  const machine = new PickleMachine(reader, host);
  for (;;) {
    const code = reader.byte();
    if (code === 0x2e) return { value: machine.pop(), end: reader.position };
    const step = opcodes[code];
    if (step === undefined) {
      const name = refusedOpcodes[code] ?? `0x${code.toString(16).padStart(2, '0')}`;
      throw new PickleError(`the opcode ${name} at byte ${reader.position - 1} is refused`);
    }
    step(machine, reader);
  }
}

class PickleMachine {
  private stack: PickleValue[] = [];
  private readonly marks: PickleValue[][] = [];
  private readonly memo = new Map<number, PickleValue>();
  private work = 0;

  constructor(
    private readonly reader: PickleReader,
    readonly host: PickleHost,
  ) {}

  push(value: PickleValue): void {
    this.spend(1);
    this.stack.push(value);
  }

  private spend(work: number): void {
    this.work += work;
    if (this.work > mostWork) throw new PickleError('it describes more objects than any model has');
  }

  pushContainer(value: PickleValue): void {
    this.spend(containerWork);
    this.push(value);
  }

  pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined) throw this.fault('needs more operands than there are');
    return value;
  }

  top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined) throw this.fault('needs more operands than there are');
    return value;
  }

  mark(): void {
    this.spend(containerWork);
    this.marks.push(this.stack);
    this.stack = [];
  }

  /** What was pushed since the last mark. */
  popMark(): PickleValue[] {
    const values = this.stack;
    const below = this.marks.pop();
    if (below === undefined) throw this.fault('has no mark to go back to');
    this.stack = below;
    return values;
  }

  popTuple(count: number): void {
    const items = Array.from({ length: count }, () => this.pop()).reverse();
    this.pushContainer(new PickleTuple(items));
  }

  remember(index: number): void {
    this.spend(1);
    this.memo.set(index, this.top());
  }

  rememberNext(): void {
    this.remember(this.memo.size);
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw this.fault(`asks for the memo ${index}, which is empty`);
    this.push(value);
  }

  append(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw this.fault('appends to something that is no list');
    for (const value of values) (list as PickleValue[]).push(value);
  }

  set(pairs: readonly PickleValue[]): void {
    const target = this.top();
    if (pairs.length % 2 !== 0) throw this.fault('has a key without a value');
    // A default dictionary's or a settings object's entries are of no use, and it is neither.
    if (!(target instanceof Map)) throw this.fault('sets items of something that is no dictionary');
    fill(target, pairs);
  }

  call(): void {
    const args = this.pop();
    const callee = this.pop();
    if (!(args instanceof PickleTuple)) throw this.fault('calls with something that is no tuple');
    // A list that was made once could be copied again and again.
    for (const value of args.items) this.spend(1 + itemsOf(value));
    this.pushContainer(this.host.call(callee, args.items));
  }

  fault(what: string): PickleError {
    return new PickleError(`the opcode before byte ${this.reader.position} ${what}`);
  }
}

function itemsOf(value: PickleValue): number {
  if (value instanceof PickleTuple) return value.items.length;
  if (Array.isArray(value)) return value.length;
  return value instanceof Map ? value.size : 0;
}

type Step = (machine: PickleMachine, reader: PickleReader) => void;

function fill(dict: PickleDict, pairs: readonly PickleValue[]): PickleDict {
  for (let at = 0; at + 1 < pairs.length; at += 2) dict.set(pairs[at]!, pairs[at + 1]!);
  return dict;
}

function global(machine: PickleMachine, module: PickleValue, name: PickleValue): void {
  if (typeof module !== 'string' || typeof name !== 'string') throw machine.fault('names no global');
  machine.push(machine.host.global(module, name));
}

const constants: Readonly<Record<number, Step>> = {
  0x4e: (m) => {
    m.push(null);
  }, // NONE
  0x88: (m) => {
    m.push(true);
  }, // NEWTRUE
  0x89: (m) => {
    m.push(false);
  }, // NEWFALSE
  0x49: (m, r) => {
    m.push(intOrBool(r.line()));
  }, // INT
  0x4c: (m, r) => {
    m.push(wholeNumber(r.line().replace(/L$/, '')));
  }, // LONG
  0x4a: (m, r) => {
    m.push(r.int32());
  }, // BININT
  0x4b: (m, r) => {
    m.push(r.byte());
  }, // BININT1
  0x4d: (m, r) => {
    m.push(r.uint16());
  }, // BININT2
  0x8a: (m, r) => {
    m.push(r.long(r.byte()));
  }, // LONG1
  0x8b: (m, r) => {
    m.push(r.long(r.uint32()));
  }, // LONG4
  0x46: (m, r) => {
    m.push(Number(r.line()));
  }, // FLOAT
  0x47: (m, r) => {
    m.push(r.float64());
  }, // BINFLOAT
  0x58: (m, r) => {
    m.push(r.text(r.uint32()));
  }, // BINUNICODE
  0x8c: (m, r) => {
    m.push(r.text(r.byte()));
  }, // SHORT_BINUNICODE
  0x8d: (m, r) => {
    m.push(r.text(r.uint64()));
  }, // BINUNICODE8
  0x56: (m, r) => {
    m.push(r.line());
  }, // UNICODE
  0x54: (m, r) => {
    m.push(r.latin1(r.uint32()));
  }, // BINSTRING
  0x55: (m, r) => {
    m.push(r.latin1(r.byte()));
  }, // SHORT_BINSTRING
  0x42: (m, r) => {
    r.skip(r.uint32());
    m.push(someBytes);
  }, // BINBYTES
  0x43: (m, r) => {
    r.skip(r.byte());
    m.push(someBytes);
  }, // SHORT_BINBYTES
  0x8e: (m, r) => {
    r.skip(r.uint64());
    m.push(someBytes);
  }, // BINBYTES8
};

const containers: Readonly<Record<number, Step>> = {
  0x5d: (m) => {
    m.pushContainer([]);
  }, // EMPTY_LIST
  0x8f: (m) => {
    m.pushContainer([]);
  }, // EMPTY_SET
  0x29: (m) => {
    m.pushContainer(new PickleTuple([]));
  }, // EMPTY_TUPLE
  0x7d: (m) => {
    m.pushContainer(new Map());
  }, // EMPTY_DICT
  0x6c: (m) => {
    m.pushContainer(m.popMark());
  }, // LIST
  0x91: (m) => {
    m.pushContainer(m.popMark());
  }, // FROZENSET
  0x74: (m) => {
    m.pushContainer(new PickleTuple(m.popMark()));
  }, // TUPLE
  0x85: (m) => {
    m.popTuple(1);
  }, // TUPLE1
  0x86: (m) => {
    m.popTuple(2);
  }, // TUPLE2
  0x87: (m) => {
    m.popTuple(3);
  }, // TUPLE3
  0x64: (m) => {
    m.pushContainer(fill(new Map(), m.popMark()));
  }, // DICT
  0x61: (m) => {
    const value = m.pop();
    m.append([value]);
  }, // APPEND
  0x65: (m) => {
    const values = m.popMark();
    m.append(values);
  }, // APPENDS
  0x90: (m) => {
    const values = m.popMark();
    m.append(values);
  }, // ADDITEMS
  0x73: (m) => {
    const value = m.pop();
    const key = m.pop();
    m.set([key, value]);
  }, // SETITEM
  0x75: (m) => {
    const pairs = m.popMark();
    m.set(pairs);
  }, // SETITEMS
};

const control: Readonly<Record<number, Step>> = {
  0x80: (m, r) => {
    // PROTO
    const protocol = r.byte();
    if (protocol > 5) throw m.fault(`asks for protocol ${protocol}`);
  },
  0x95: (_, r) => {
    r.uint64();
  }, // FRAME
  0x28: (m) => {
    m.mark();
  }, // MARK
  0x30: (m) => {
    m.pop();
  }, // POP
  0x31: (m) => {
    m.popMark();
  }, // POP_MARK
  0x32: (m) => {
    m.push(m.top());
  }, // DUP
  0x70: (m, r) => {
    m.remember(index(r.line()));
  }, // PUT
  0x71: (m, r) => {
    m.remember(r.byte());
  }, // BINPUT
  0x72: (m, r) => {
    m.remember(r.uint32());
  }, // LONG_BINPUT
  0x94: (m) => {
    m.rememberNext();
  }, // MEMOIZE
  0x67: (m, r) => {
    m.recall(index(r.line()));
  }, // GET
  0x68: (m, r) => {
    m.recall(r.byte());
  }, // BINGET
  0x6a: (m, r) => {
    m.recall(r.uint32());
  }, // LONG_BINGET
  0x63: (m, r) => {
    const module = r.line();
    global(m, module, r.line());
  }, // GLOBAL
  0x93: (m) => {
    const name = m.pop();
    global(m, m.pop(), name);
  }, // STACK_GLOBAL
  0x51: (m) => {
    m.pushContainer(m.host.persistent(m.pop()));
  }, // BINPERSID
  0x52: (m) => {
    m.call();
  }, // REDUCE
  0x81: (m) => {
    m.call();
  }, // NEWOBJ
  0x62: (m) => {
    const state = m.pop();
    const built = m.top();
    // Attributes are of no use for tensors.
    if (built instanceof DescribedObject) built.state = state;
  }, // BUILD
};

const opcodes: Readonly<Record<number, Step>> = { ...constants, ...containers, ...control };

function intOrBool(text: string): PickleValue {
  return text === '00' ? false : text === '01' ? true : wholeNumber(text);
}

function wholeNumber(text: string): number | bigint {
  if (!/^[+-]?\d{1,40}$/.test(text))
    throw new PickleError(`${JSON.stringify(text.slice(0, 20))} is no whole number`);
  const number = Number(text);
  return Number.isSafeInteger(number) ? number : BigInt(text);
}

function index(text: string): number {
  const number = wholeNumber(text);
  if (typeof number === 'bigint' || number < 0) throw new PickleError(`${text} is no place in the memo`);
  return number;
}
