import type { DictionaryReader, GramInfo } from '../dictionary-reader.js'
import { MalformedBytesError } from '../malformed-bytes-error.js'

/** What a walk visits, as text; it fails if it goes on beyond `limit`. */
export function visits(limit: number, walk: (visit: (value: number) => void) => void): string {
  const seen: number[] = []
  walk(value => {
    if (seen.push(value) > limit) throw new Error(`more than ${limit} visits`)
  })
  return seen.join(' ')
}

/** What a dictionary knows of a gram, with its posting list. */
export function describeGram(dictionary: DictionaryReader, gram: number): string {
  const info = dictionary.gram(gram)
  if (info === undefined) return 'none'
  const list = info.length === 0 ? '' : visits(info.length * 0x10000, visit => readPostings(dictionary, info, visit))
  return `${info.total} ${info.blocks} ${info.length} ${list}`
}

function readPostings(dictionary: DictionaryReader, info: GramInfo, visit: (block: number) => void): void {
  try {
    dictionary.postingList(info).forEach(visit)
  } catch (error) {
    if (error instanceof MalformedBytesError) throw error.inFile('postings')
    throw error
  }
}
