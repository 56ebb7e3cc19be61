/**
 * What a person does at a keyboard. `text` is what was typed; a paste comes as one, with what is no text made spaces, so that a pasted line
 * feed presses no key.
 */
export type KeyPress =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'paste'; readonly text: string }
  | { readonly kind: 'key'; readonly name: string }

const ESC = 0x1b
const BEL = 0x07
/** A longer sequence is no key of any terminal: it is dropped as it comes. */
const MAX_SEQUENCE_BYTES = 64
/** What a query may hold (docs/query.md); more of a paste is dropped. */
const MAX_PASTE_BYTES = 65_536

const PASTE_END = [ESC, 0x5b, 0x32, 0x30, 0x31, 0x7e]

/** `ESC O x` and `ESC [ x`. */
const FINAL_NAMES: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  F: 'end',
  H: 'home',
  M: 'enter',
  Z: 'shift-tab',
}

/** `ESC [ n ~`. */
const TILDE_NAMES: Readonly<Record<string, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'page-up',
  6: 'page-down',
  7: 'home',
  8: 'end',
}

const CONTROL_NAMES: Readonly<Record<number, string>> = {
  8: 'backspace',
  9: 'tab',
  10: 'enter',
  13: 'enter',
  127: 'backspace',
}

type State = 'ground' | 'escape' | 'csi' | 'ss3' | 'text' | 'string' | 'string-escape' | 'paste'

/**
 * Makes key presses of the bytes of a terminal in raw mode, however they are cut into pieces. Sequences that are no keys (answers of the
 * terminal, mice) are dropped whole. An Esc alone looks like the beginning of a sequence: who feeds waits a little and calls `flush`.
 */
export class KeyDecoder {
  private state: State = 'ground'
  private bytes: number[] = []
  private sequenceLength = 0
  private presses: KeyPress[] = []

  /** Something has begun that may be an Esc alone. */
  get isWaiting(): boolean {
    return this.state === 'escape'
  }

  push(chunk: Uint8Array): KeyPress[] {
    for (const byte of chunk) this.step(byte)
    return this.take()
  }

  /** Nothing came for a while: what waits was an Esc. */
  flush(): KeyPress[] {
    if (this.isWaiting) {
      this.state = 'ground'
      this.key('escape')
    }
    return this.take()
  }

  private take(): KeyPress[] {
    const { presses } = this
    this.presses = []
    return presses
  }

  private step(byte: number): void {
    const { state } = this
    if (state === 'ground') this.begin(byte)
    else if (state === 'escape') this.afterEscape(byte)
    else if (state === 'csi') this.inSequence(byte)
    else if (state === 'text') this.inText(byte)
    else if (state === 'paste') this.inPaste(byte)
    else if (state === 'ss3') this.afterSingleShift(byte)
    else this.inString(byte)
  }

  private afterSingleShift(byte: number): void {
    this.state = 'ground'
    if (byte >= 0x40 && byte <= 0x7e) this.named(FINAL_NAMES[String.fromCharCode(byte)])
  }

  private inString(byte: number): void {
    if (this.state === 'string-escape') this.state = byte === 0x5c ? 'ground' : 'string'
    else if (byte === BEL) this.state = 'ground'
    else if (byte === ESC) this.state = 'string-escape'
  }

  private begin(byte: number): void {
    if (byte === ESC) this.state = 'escape'
    else if (byte < 0x20 || byte === 0x7f) this.key(controlName(byte))
    else if (byte < 0x80) this.text(String.fromCharCode(byte))
    else {
      // 0x80 to 0xc1 begin no character: bytes of something else.
      this.sequenceLength = byte >= 0xf5 ? 0 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 0
      if (this.sequenceLength === 0) return
      this.bytes = [byte]
      this.state = 'text'
    }
  }

  private inText(byte: number): void {
    if ((byte & 0xc0) !== 0x80) {
      this.state = 'ground'
      this.begin(byte)
      return
    }
    this.bytes.push(byte)
    if (this.bytes.length < this.sequenceLength) return
    this.state = 'ground'
    this.text(printable(Buffer.from(this.bytes).toString('utf8')))
  }

  private afterEscape(byte: number): void {
    this.bytes = []
    if (byte === 0x5b) this.state = 'csi'
    else if (byte === 0x4f) this.state = 'ss3'
    // OSC, DCS, SOS, PM, APC: texts of the terminal up to ST or BEL.
    else if ([0x5d, 0x50, 0x58, 0x5e, 0x5f].includes(byte)) this.state = 'string'
    else if (byte === ESC) this.key('escape')
    else {
      this.state = 'ground'
      if (byte < 0x20 || byte === 0x7f) this.key(`alt-${controlName(byte)}`)
      else if (byte < 0x80) this.key(`alt-${String.fromCharCode(byte)}`)
      else this.begin(byte)
    }
  }

  private inSequence(byte: number): void {
    if (byte === ESC) {
      this.state = 'escape'
      return
    }
    if (byte < 0x40 || byte > 0x7e) {
      if (this.bytes.length < MAX_SEQUENCE_BYTES) this.bytes.push(byte)
      return
    }
    this.state = 'ground'
    const final = String.fromCharCode(byte)
    // `<`, `?`, `>`: of mice, and answers of the terminal.
    if (this.bytes[0]! >= 0x3c || this.bytes.length === MAX_SEQUENCE_BYTES) return
    const [first = '', modifiers = ''] = String.fromCharCode(...this.bytes).split(';')
    if (final === '~' && first === '200') {
      this.bytes = []
      this.state = 'paste'
      return
    }
    const name = final === '~' ? TILDE_NAMES[first] : FINAL_NAMES[final]
    if (name !== undefined) this.key(`${modifierPrefix(Number(modifiers))}${name}`)
  }

  private inPaste(byte: number): void {
    this.bytes.push(byte)
    if (byte === 0x7e && PASTE_END.every((one, i) => this.bytes.at(i - PASTE_END.length) === one)) {
      const text = Buffer.from(
        this.bytes.slice(0, Math.min(MAX_PASTE_BYTES, this.bytes.length - PASTE_END.length)),
      ).toString('utf8')
      this.bytes = []
      this.state = 'ground'
      this.presses.push({ kind: 'paste', text: printable(text) })
    } else if (this.bytes.length > MAX_PASTE_BYTES + PASTE_END.length) {
      // The beginning stays; of the rest, what the end mark may be made of.
      this.bytes.splice(MAX_PASTE_BYTES, 1)
    }
  }

  private text(text: string): void {
    if (text === '') return
    const last = this.presses.at(-1)
    if (last?.kind === 'text') this.presses[this.presses.length - 1] = { kind: 'text', text: last.text + text }
    else this.presses.push({ kind: 'text', text })
  }

  private named(name: string | undefined): void {
    if (name !== undefined) this.key(name)
  }

  private key(name: string): void {
    this.presses.push({ kind: 'key', name })
  }
}

/** `ctrl-a` of 1, names of those that have keys of their own. */
function controlName(byte: number): string {
  return CONTROL_NAMES[byte] ?? `ctrl-${String.fromCharCode(byte + 0x60)}`
}

/** xterm's modifiers are 1 + shift 1, alt 2, ctrl 4. */
function modifierPrefix(modifiers: number): string {
  const bits = modifiers > 1 ? modifiers - 1 : 0
  return `${bits & 4 ? 'ctrl-' : ''}${bits & 2 ? 'alt-' : ''}${bits & 1 ? 'shift-' : ''}`
}

/** Without controls; what separates lines or columns is a space. */
function printable(text: string): string {
  return text.replace(/\r\n|[\t\n\r\u2028\u2029]/g, ' ').replace(/[\u0000-\u001f\u007f-\u009f]/g, '')
}
