import { describe, expect, test } from 'vitest'
import { KeyDecoder, type KeyPress } from './key-decoder.js'

/** What the decoder makes of bytes, in one piece and one by one, which must be the same but for how texts are joined. */
function decoded(bytes: string | Buffer): (string | { paste: string })[] {
  const input = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
  const whole = joined(new KeyDecoder().push(input))
  const single = new KeyDecoder()
  expect(joined([...input].flatMap(byte => single.push(Uint8Array.of(byte))))).toEqual(whole)
  return whole
}

function joined(presses: readonly KeyPress[]): (string | { paste: string })[] {
  const shown: (string | { paste: string })[] = []
  let text = ''
  const end = () => {
    if (text !== '') shown.push(`"${text}"`)
    text = ''
  }
  for (const press of presses) {
    if (press.kind === 'text') text += press.text
    else {
      end()
      shown.push(press.kind === 'key' ? press.name : { paste: press.text })
    }
  }
  end()
  return shown
}

test('text is text, in any script', () => {
  expect(decoded(Buffer.from('aé日🙂z'))).toEqual(['"aé日🙂z"'])
})

test('keys of xterm, of the Linux console, of rxvt, in application mode', () => {
  const keys: Record<string, string> = {
    '\u001b[A': 'up',
    '\u001bOA': 'up',
    '\u001b[B': 'down',
    '\u001b[C': 'right',
    '\u001b[D': 'left',
    '\u001b[H': 'home',
    '\u001b[1~': 'home',
    '\u001b[7~': 'home',
    '\u001bOF': 'end',
    '\u001b[4~': 'end',
    '\u001b[8~': 'end',
    '\u001b[5~': 'page-up',
    '\u001b[6~': 'page-down',
    '\u001b[3~': 'delete',
    '\u001b[Z': 'shift-tab',
    '\u001b[1;5C': 'ctrl-right',
    '\u001b[1;5D': 'ctrl-left',
    '\u001bb': 'alt-b',
    '\u001b\u007f': 'alt-backspace',
    '\r': 'enter',
    '\t': 'tab',
    '\u007f': 'backspace',
    '\b': 'backspace',
    '\u0003': 'ctrl-c',
    '\u0012': 'ctrl-r',
    '\u001a': 'ctrl-z',
  }
  for (const [bytes, name] of Object.entries(keys)) expect({ bytes, is: decoded(bytes) }).toEqual({ bytes, is: [name] })
  expect(decoded(`a${Object.keys(keys).join('')}b`)).toEqual(['"a"', ...Object.values(keys), '"b"'])
})

test('sequences that are no keys are dropped whole', () => {
  for (const bytes of [
    '\u001b[?62;22c',
    '\u001b[<0;10;20M',
    '\u001b]11;rgb:0000/0000/0000\u0007',
    '\u001b]11;rgb:00/00/00\u001b\\',
    '\u001bP1+r544e\u001b\\',
    '\u001b[99~',
    `\u001b[${'1;'.repeat(200)}~`,
  ])
    expect({ bytes, is: decoded(`a${bytes}b`) }).toEqual({ bytes, is: ['"ab"'] })
})

test('bytes that are no characters are dropped, and what follows them is not', () => {
  expect(decoded(Buffer.from([0x61, 0xff, 0x80, 0xc1, 0x62]))).toEqual(['"ab"'])
  expect(decoded(Buffer.from([0xe6, 0x97, 0x61]))).toEqual(['"a"'])
  expect(decoded(Buffer.from([0xe6, 0x1b, 0x5b, 0x41]))).toEqual(['up'])
})

test('a C1 control that comes as text is no text', () => {
  expect(decoded(Buffer.from('a\u009bb'))).toEqual(['"ab"'])
})

describe('a paste', () => {
  test('presses no keys, and has no controls', () => {
    expect(decoded('\u001b[200~a\r\nb\tc\u0003\u001b[Ad\u001b[201~e')).toEqual([{ paste: 'a b c[Ad' }, '"e"'])
  })

  test('is taken up to its limit, and its end is found beyond it', () => {
    const decoder = new KeyDecoder()
    decoder.push(Buffer.from('\u001b[200~'))
    for (let i = 0; i < 20; i++) decoder.push(Buffer.alloc(10_000, 0x61))
    const [paste, ...rest] = decoder.push(Buffer.from('\u001b[201~x'))
    expect(paste?.kind === 'paste' && paste.text.length).toBe(65_536)
    expect(rest).toEqual([{ kind: 'text', text: 'x' }])
  })
})

test('an Esc is a key when nothing follows it', () => {
  const decoder = new KeyDecoder()
  expect(decoder.push(Buffer.from('\u001b'))).toEqual([])
  expect(decoder.isWaiting).toBe(true)
  expect(decoder.flush()).toEqual([{ kind: 'key', name: 'escape' }])
  expect(decoder.isWaiting).toBe(false)
  expect(decoder.flush()).toEqual([])
  // The second one may begin a sequence.
  expect(decoder.push(Buffer.from('\u001b\u001b'))).toEqual([{ kind: 'key', name: 'escape' }])
  expect(decoder.push(Buffer.from('[A'))).toEqual([{ kind: 'key', name: 'up' }])
})
