import type { SegmentReader, WordList } from '@hotpath/index-format'
import { codePoints, editDistance, type FuzzyRun } from '@hotpath/query'

/** Bytes of the longest word of a list, and characters of the longest run that can be near one. */
const ROOM = 64

/**
 * The words of a list that a run is near, itself included if it is there. One pass over the sorted list: what neighbours
 * share is compared once, and where a beginning is already too far from the run all words that begin so are skipped.
 * Cost: 2–6 ms for the 480,000 words of ten million entries.
 */
export function nearWords(list: WordList, run: FuzzyRun): Uint8Array[] {
  const wanted = codePoints(run.text)
  if (wanted.length > ROOM - run.edits) return []
  return new NearWords(list, wanted, run.edits).find()
}

/** Runs whose words are kept for a segment: those of a few queries, in both tables. A run has some dozens of words. */
const KEPT_RUNS = 64

const kept = new WeakMap<SegmentReader, Map<string, readonly Uint8Array[]>>()

/** The same for the words of a segment; those of the last runs are kept. */
export function nearWordsOf(reader: SegmentReader, run: FuzzyRun): readonly Uint8Array[] {
  let ofRuns = kept.get(reader)
  if (ofRuns === undefined) {
    ofRuns = new Map()
    kept.set(reader, ofRuns)
  }
  const id = `${run.edits} ${run.text.join()}`
  let words = ofRuns.get(id)
  if (words === undefined) {
    words = nearWords(reader.words(), run)
    if (ofRuns.size >= KEPT_RUNS) ofRuns.clear()
    ofRuns.set(id, words)
  }
  return words
}

class NearWords {
  private readonly width: number
  /** Row d: edits between the first d letters of the word and the first j of the run. */
  private readonly rows: Uint8Array
  /** Least of each row. */
  private readonly least = new Uint8Array(ROOM + 1)
  private readonly word = new Uint8Array(ROOM)

  constructor(
    private readonly list: WordList,
    private readonly wanted: readonly number[],
    private readonly edits: number,
  ) {
    this.width = wanted.length + 1
    this.rows = new Uint8Array((ROOM + 1) * this.width)
    for (let j = 0; j < this.width; j++) this.rows[j] = j
  }

  find(): Uint8Array[] {
    const { list, word, wanted, edits, width, rows } = this
    const { count, shared, lengths, suffixes } = list
    const found: Uint8Array[] = []
    /** Letters of the word that have rows; ROOM: words that share this many with the last one are too far. */
    let filled = 0
    let tooFar = ROOM
    for (let i = 0, at = 0; i < count; at += lengths[i++]) {
      const same = shared[i]
      if (same >= tooFar) continue
      const length = same + lengths[i]
      for (let d = same; d < length; d++) word[d] = suffixes[at + d - same]
      filled = Math.min(filled, same)
      tooFar = ROOM
      while (filled < length && word[filled] < 0x80) {
        this.fill(++filled)
        if (this.least[filled] > edits && this.least[filled - 1] >= edits) {
          tooFar = filled
          break
        }
      }
      if (tooFar !== ROOM) continue
      const distance =
        filled === length
          ? rows[length * width + wanted.length]
          : editDistance(wanted, codePoints(word.subarray(0, length)))
      if (distance <= edits) found.push(word.slice(0, length))
    }
    return found
  }

  /** Fills row `d` from the two before it. */
  private fill(d: number): void {
    const { rows, width, word, wanted } = this
    const row = d * width
    const letter = word[d - 1]
    let least = d
    rows[row] = d
    for (let j = 1; j < width; j++) {
      let value = Math.min(rows[row - width + j] + 1, rows[row + j - 1] + 1)
      value = Math.min(value, rows[row - width + j - 1] + (letter === wanted[j - 1] ? 0 : 1))
      if (d > 1 && j > 1 && letter === wanted[j - 2] && word[d - 2] === wanted[j - 1]) {
        value = Math.min(value, rows[row - 2 * width + j - 2] + 1)
      }
      rows[row + j] = value
      if (value < least) least = value
    }
    this.least[d] = least
  }
}
