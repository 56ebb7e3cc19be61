import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  asciiOnly,
  compareBytes,
  compareNames,
  isAsciiLowerKey,
  keyOf,
  partialKeyOf,
  utf8SequenceLength,
} from './key.js'

const runs = process.env.SOAK ? 100_000 : 2_000
const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const bytes = (text: string) => encoder.encode(text)
const text = (key: Uint8Array) => decoder.decode(key)
const key = (name: string) => text(keyOf(bytes(name)))
const folded = (name: string) => text(partialKeyOf(bytes(name), false, true))

/** Assigned, not private use, not a surrogate. */
function* assignedCharacters(): Generator<string> {
  for (let codePoint = 0; codePoint < 0x110000; codePoint++) {
    const character = String.fromCodePoint(codePoint)
    if (!/\p{Cn}|\p{Co}|\p{Cs}/u.test(character)) yield character
  }
}

/** Every line of CaseFolding.txt with status F (full folding to several code points). */
const FULL_FOLDINGS = `
00DF:0073+0073 0130:0069+0307 0149:02BC+006E 01F0:006A+030C 0390:03B9+0308+0301 03B0:03C5+0308+0301
0587:0565+0582 1E96:0068+0331 1E97:0074+0308 1E98:0077+030A 1E99:0079+030A 1E9A:0061+02BE 1E9E:0073+0073
1F50:03C5+0313 1F52:03C5+0313+0300 1F54:03C5+0313+0301 1F56:03C5+0313+0342 1F80:1F00+03B9 1F81:1F01+03B9
1F82:1F02+03B9 1F83:1F03+03B9 1F84:1F04+03B9 1F85:1F05+03B9 1F86:1F06+03B9 1F87:1F07+03B9 1F88:1F00+03B9
1F89:1F01+03B9 1F8A:1F02+03B9 1F8B:1F03+03B9 1F8C:1F04+03B9 1F8D:1F05+03B9 1F8E:1F06+03B9 1F8F:1F07+03B9
1F90:1F20+03B9 1F91:1F21+03B9 1F92:1F22+03B9 1F93:1F23+03B9 1F94:1F24+03B9 1F95:1F25+03B9 1F96:1F26+03B9
1F97:1F27+03B9 1F98:1F20+03B9 1F99:1F21+03B9 1F9A:1F22+03B9 1F9B:1F23+03B9 1F9C:1F24+03B9 1F9D:1F25+03B9
1F9E:1F26+03B9 1F9F:1F27+03B9 1FA0:1F60+03B9 1FA1:1F61+03B9 1FA2:1F62+03B9 1FA3:1F63+03B9 1FA4:1F64+03B9
1FA5:1F65+03B9 1FA6:1F66+03B9 1FA7:1F67+03B9 1FA8:1F60+03B9 1FA9:1F61+03B9 1FAA:1F62+03B9 1FAB:1F63+03B9
1FAC:1F64+03B9 1FAD:1F65+03B9 1FAE:1F66+03B9 1FAF:1F67+03B9 1FB2:1F70+03B9 1FB3:03B1+03B9 1FB4:03AC+03B9
1FB6:03B1+0342 1FB7:03B1+0342+03B9 1FBC:03B1+03B9 1FC2:1F74+03B9 1FC3:03B7+03B9 1FC4:03AE+03B9 1FC6:03B7+0342
1FC7:03B7+0342+03B9 1FCC:03B7+03B9 1FD2:03B9+0308+0300 1FD3:03B9+0308+0301 1FD6:03B9+0342 1FD7:03B9+0308+0342
1FE2:03C5+0308+0300 1FE3:03C5+0308+0301 1FE4:03C1+0313 1FE6:03C5+0342 1FE7:03C5+0308+0342 1FF2:1F7C+03B9
1FF3:03C9+03B9 1FF4:03CE+03B9 1FF6:03C9+0342 1FF7:03C9+0342+03B9 1FFC:03C9+03B9 FB00:0066+0066 FB01:0066+0069
FB02:0066+006C FB03:0066+0066+0069 FB04:0066+0066+006C FB05:0073+0074 FB06:0073+0074 FB13:0574+0576
FB14:0574+0565 FB15:0574+056B FB16:057E+0576 FB17:0574+056D
`

describe('the order of names', () => {
  const piece = fc.constantFrom('a', 'A', 'b', 'B', '<', '\u0338', '\u0301', 'é', 'ß', 'ss', 'K', '\u3099', 'カ', '日')
  const raw = fc.constantFrom(Uint8Array.of(0xff), Uint8Array.of(0xcc), Uint8Array.of(0x81))
  const name = fc
    .array(fc.oneof({ weight: 8, arbitrary: piece.map(bytes) }, raw), { minLength: 0, maxLength: 4 })
    .map(pieces => new Uint8Array(Buffer.concat(pieces)))

  it('is that of their keys, then that of their bytes', () => {
    fc.assert(
      fc.property(name, name, (a, b) => {
        const expected = compareBytes(keyOf(a), keyOf(b)) || compareBytes(a, b)
        expect(Math.sign(compareNames(a, b))).toBe(Math.sign(expected))
      }),
      { numRuns: 5 * runs },
    )
  })
})

describe('the key of a name', () => {
  it.each([
    ['README.md', 'readme.md'],
    ['Straße', 'strasse'],
    ['STRASSE', 'strasse'],
    ['GROẞ', 'gross'],
    ['ΟΔΟΣ', 'οδοσ'],
    ['οδος', 'οδοσ'],
    ['İstanbul', 'istanbul'],
    ['ısı', 'isi'],
    ['café', 'cafe'],
    ['cafe\u0301', 'cafe'],
    ['Ångström', 'angstrom'],
    ['Ёлка', 'елка'],
    ['ﬁnal', 'final'],
    ['ᾳ', 'α'],
    ['ガ', 'ガ'],
    ['カ\u3099', 'ガ'],
    ['한글', '한글'],
    ['Ꭰᏸꭰ', 'ᎠᏰᎠ'],
    ['𐐀', '𐐨'],
    ['\ufeffx', '\ufeffx'],
    ['', ''],
  ])('of %j is %j', (name, expected) => {
    expect(key(name)).toBe(expected)
  })

  it('folds case fully, as CaseFolding.txt has it', () => {
    const lines = FULL_FOLDINGS.trim().split(/\s+/)
    expect(lines).toHaveLength(104)
    for (const line of lines) {
      const [from, to] = line.split(':')
      const source = String.fromCodePoint(Number.parseInt(from!, 16))
      const expected = to!.split('+').map(code => String.fromCodePoint(Number.parseInt(code, 16)))
      // İ decomposes first; what is folded is I and U+0307.
      expect(folded(source), line).toBe(expected.join('').normalize('NFC'))
    }
  })

  it('agrees with the simple folding of the engine wherever the full one gives one character', () => {
    for (const character of assignedCharacters()) {
      const decomposed = character.normalize('NFD')
      const result = folded(character)
      if (/\p{Changes_When_Casefolded}/u.test(decomposed) || character === 'ı') {
        expect(result, character).not.toBe(decomposed.normalize('NFC'))
        if (character === 'ı' || [...result.normalize('NFD')].length !== [...decomposed].length) continue
        // The `i` flag with `u` compares by simple case folding.
        const pattern = new RegExp(`^${decomposed.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}$`, 'iu')
        expect(pattern.test(result.normalize('NFD')), character).toBe(true)
      } else if (result !== decomposed.normalize('NFC')) {
        expect.fail(`${JSON.stringify(character)} changed to ${JSON.stringify(result)}`)
      }
    }
  })

  it('is the key of itself for every character, and never makes a slash or NUL', () => {
    for (const character of assignedCharacters()) {
      const once = keyOf(bytes(character))
      if (compareBytes(keyOf(once), once) !== 0) expect.fail(`not idempotent: ${JSON.stringify(character)}`)
      if (character !== '/' && once.includes(0x2f)) expect.fail(`slash from ${JSON.stringify(character)}`)
      if (character !== '\0' && once.includes(0)) expect.fail(`NUL from ${JSON.stringify(character)}`)
    }
  })

  const awkward = fc.constantFrom(...'aAßẞıİςΣée\u0301\u0327\u0345\u3099カガ하ᄒ\u1161\u11abꭰᾳﬁ/.\ud800\ufeff')
  it('is the key of itself for random strings', () => {
    const name = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: awkward }))
    fc.assert(
      fc.property(name, fc.boolean(), fc.boolean(), (string, keepCase, keepMarks) => {
        const once = partialKeyOf(bytes(string), keepCase, keepMarks)
        expect(partialKeyOf(once, keepCase, keepMarks)).toEqual(once)
      }),
      { numRuns: runs },
    )
  })

  it('is the key of itself for random bytes', () => {
    // Pieces of sequences around marks that are removed: exactly what joins to new characters.
    const piece = fc.constantFrom(
      [0xcc, 0x81],
      [0xc3],
      [0xe2, 0x82],
      [0xac],
      [0xcc],
      [0x89],
      [0xed, 0xa0],
      [0x80],
      [0x41],
    )
    const name = fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc.array(piece, { maxLength: 20 }).map(list => Uint8Array.from(list.flat())),
    )
    fc.assert(
      fc.property(name, raw => {
        const once = keyOf(raw)
        expect(keyOf(once)).toEqual(once)
      }),
      { numRuns: runs },
    )
  })

  it('keeps invalid bytes and folds what stands between them', () => {
    expect(keyOf(Uint8Array.of(0xff, 0x41, 0xc3, 0x89, 0xc3))).toEqual(Uint8Array.of(0xff, 0x61, 0x65, 0xc3))
    expect(keyOf(Uint8Array.of(0xed, 0xa0, 0x80, 0x41))).toEqual(Uint8Array.of(0xed, 0xa0, 0x80, 0x61))
    // A removed mark joins C3 and 89 to É, which is settled in turn.
    expect(keyOf(Uint8Array.of(0xc3, 0xcc, 0x81, 0x89))).toEqual(bytes('e'))
  })

  it('reads only its range and leaves the input alone', () => {
    const raw = bytes('XÉYZ')
    const before = raw.slice()
    expect(text(keyOf(raw, 1, 3))).toBe('e')
    expect(text(keyOf(raw, 3, 4))).toBe('y')
    const whole = bytes('abc')
    keyOf(whole)[0] = 0
    expect(raw).toEqual(before)
    expect(whole).toEqual(bytes('abc'))
  })
})

describe('partial keys', () => {
  it('keep case, marks or both', () => {
    const name = bytes('Cafe\u0301')
    expect(text(partialKeyOf(name, true, false))).toBe('Cafe')
    expect(text(partialKeyOf(name, false, true))).toBe('café')
    expect(text(partialKeyOf(name, true, true))).toBe('Café')
    expect(text(partialKeyOf(name, false, false))).toBe('cafe')
    expect(text(partialKeyOf(bytes('ABC'), true, false))).toBe('ABC')
  })
})

describe('byte helpers', () => {
  it('find ASCII', () => {
    expect(asciiOnly(bytes('abc\x7f'))).toBe(true)
    expect(asciiOnly(bytes('abcé'))).toBe(false)
    expect(asciiOnly(bytes('abcé'), 0, 3)).toBe(true)
  })

  it('tell whether the key is the lowered name', () => {
    expect(isAsciiLowerKey(bytes('ABC'))).toBe(true)
    expect(isAsciiLowerKey(bytes('Aあ'))).toBe(true)
    expect(isAsciiLowerKey(bytes('É'))).toBe(false)
    expect(isAsciiLowerKey(bytes('éA'), 2)).toBe(true)
  })

  it('order bytes as Buffer.compare does', () => {
    const string = fc.uint8Array({ maxLength: 4, max: 3 })
    fc.assert(
      fc.property(string, string, (a, b) => {
        expect(Math.sign(compareBytes(a, b))).toBe(Buffer.compare(a, b))
      }),
    )
  })

  it('accept exactly the sequences that a strict decoder accepts', () => {
    const raw = fc.oneof(
      fc.uint8Array({ minLength: 1, maxLength: 4 }),
      fc.string({ unit: 'binary', minLength: 1 }).map(bytes),
    )
    const strict = (part: Uint8Array) => {
      try {
        return [...decoder.decode(part)].length === 1
      } catch {
        return false
      }
    }
    fc.assert(
      fc.property(raw, part => {
        const length = [1, 2, 3, 4].find(n => n <= part.length && strict(part.subarray(0, n))) ?? 0
        expect(utf8SequenceLength(part, 0, part.length)).toBe(length)
      }),
      { numRuns: runs },
    )
  })
})
