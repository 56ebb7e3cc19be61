import { describe, expect, it } from 'vitest'
import { keyOf } from './key.js'
import { NameInterner, sortNames } from './name-set.js'
import { Random } from './testing/random-rows.js'
import { decodeWordList, encodeWordList, WordCollector, type WordList } from './word-list.js'
import { forEachWord, isBoundary, MAX_WORD_CHARACTERS, MIN_WORD_BYTES, wordKey } from './words.js'

const soak = Boolean(process.env.SOAK)
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 0x7fffffff))

function wordsOf(text: string): string[] {
  const name = Buffer.from(text)
  const words: string[] = []
  forEachWord(name, 0, name.length, (start, end) => words.push(Buffer.from(keyOf(name, start, end)).toString()))
  return words
}

function listed({ count, shared, lengths, suffixes }: WordList): string[] {
  const words: string[] = []
  let word = Buffer.alloc(0)
  let at = 0
  for (let i = 0; i < count; i++) {
    word = Buffer.concat([word.subarray(0, shared[i]), suffixes.subarray(at, at + lengths[i])])
    at += lengths[i]
    words.push(word.toString())
  }
  return words
}

function collected(names: readonly Uint8Array[]): WordList {
  const interner = new NameInterner()
  for (const name of names) interner.intern(name, 0, name.length)
  const collector = new WordCollector()
  collector.add(sortNames(interner).names)
  return collector.finish()
}

describe('words of a name', () => {
  it.each([
    ['main.go', ['main', 'go']],
    ['HttpServer2.go', ['http', 'server', 'httpserver', 'go']],
    ['HTTPServer', ['http', 'server', 'httpserver']],
    ['README', ['readme']],
    ['readMe', ['read', 'me', 'readme']],
    ['IMG_20240501', ['img']],
    ['Größe-Straße', ['grosse', 'strasse']],
    ['caféBar', ['cafe', 'bar', 'cafebar']],
    ['ÉCOLE', ['e', 'cole', 'ecole']],
    ['мойФайл.txt', ['моифаил', 'txt']],
    ['--', []],
    ['', []],
  ])('%s: %j', (text, words) => {
    expect(wordsOf(text)).toEqual(words)
  })

  it('start and end at boundaries', () => {
    const places = (text: string) =>
      Array.from({ length: text.length + 1 }, (_, at) => at).filter(at => isBoundary(Buffer.from(text), at))
    expect(places('mainGo')).toEqual([0, 4, 6])
    expect(places('a--b')).toEqual([0, 1, 2, 3, 4])
    expect(places('XMLFile10')).toEqual([0, 3, 7, 9])
  })
})

describe('the list of words', () => {
  it('holds every word of the names once, in order', () => {
    for (let round = 0; round < (soak ? 500 : 25); round++) {
      const random = new Random(seed + round)
      const pieces = [
        'main',
        'Main',
        'MAIN',
        'Server',
        'é',
        'ß',
        'Ф',
        '日',
        '_',
        '.',
        '7',
        'a',
        'x',
        'internationalisation',
        '\u0301',
      ]
      const names = Array.from({ length: 1 + random.below(200) }, () => {
        const parts = Array.from({ length: 1 + random.below(5) }, () => Buffer.from(random.pick(pieces)))
        if (random.below(10) === 0) parts.splice(random.below(parts.length), 0, Buffer.of(0x80 + random.below(128)))
        return Buffer.concat(parts)
      })
      const expected = new Set<string>()
      for (const name of names) {
        forEachWord(name, 0, name.length, (start, end) => {
          const key = wordKey(name, start, end)
          if (key) expected.add(Buffer.from(key).toString())
        })
      }
      const list = collected(names)
      const order = [...expected].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
      expect(listed(list), `seed ${seed + round}`).toEqual(order)
      expect(decodeWordList(encodeWordList(list), list.count, list.suffixes.length), `seed ${seed + round}`).toEqual(
        list,
      )
    }
  })

  it('has words of its limits', () => {
    const longest = 'x'.repeat(MAX_WORD_CHARACTERS)
    const names = ['ab', 'abc', longest, `${longest}x`, 'ж'.repeat(MAX_WORD_CHARACTERS)]
    expect(listed(collected(names.map(name => Buffer.from(name))))).toEqual(['abc', longest, names[4]])
    expect(MIN_WORD_BYTES).toBe(3)
  })

  it('refuses damage', () => {
    const list = collected(['main.go', 'Makefile', 'HttpServer.java', 'http'].map(name => Buffer.from(name)))
    const bytes = encodeWordList(list)
    const { count, suffixes } = list
    expect(decodeWordList(bytes, count, suffixes.length)).toEqual(list)
    expect(decodeWordList(bytes, count + 1, suffixes.length)).toBeUndefined()
    expect(decodeWordList(bytes, count, suffixes.length - 1)).toBeUndefined()
    for (let length = 0; length < bytes.length - 1; length++) {
      expect(decodeWordList(bytes.subarray(0, length), count, suffixes.length)).toBeUndefined()
    }
    for (let at = 0; at < bytes.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const damaged = Uint8Array.from(bytes)
        damaged[at] ^= 1 << bit
        const read = decodeWordList(damaged, count, suffixes.length)
        // A letter can become another one; what is read can always be walked.
        if (read) expect(listed(read).length).toBe(count)
      }
    }
  })
})
