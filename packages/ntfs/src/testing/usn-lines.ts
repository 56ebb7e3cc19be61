import type { UsnRows } from '../usn/usn-rows.js'

const EPOCH_SECONDS = 11_644_473_600n
const TICKS = 10_000_000n

/** Row as the generator of journals prints it, but for the version: usn, record, sequence, parent, its sequence, time (FILETIME), reasons, source, attributes, name. */
export function usnLine(rows: UsnRows, row: number): string {
  const time = (BigInt(rows.time.seconds[row]!) + EPOCH_SECONDS) * TICKS + BigInt(rows.time.ticks[row]!)
  return [
    rows.usn[row],
    rows.record[row],
    rows.sequence[row],
    rows.parent[row],
    rows.parentSequence[row],
    time,
    `0x${rows.reasons[row]!.toString(16).padStart(8, '0')}`,
    rows.sourceInfo[row],
    `0x${rows.attributes[row]!.toString(16)}`,
    escaped(rows.names.subarray(rows.nameOffsets[row]!, rows.nameOffsets[row + 1]!)),
  ].join('\t')
}

/** The lines of a journal's truth that have names, without the version. */
export function namedLines(truth: readonly string[]): string[] {
  return truth
    .map(line => line.split('\t'))
    .filter(([, version]) => version === '2' || version === '3')
    .map(([usn, , ...rest]) => [usn, ...rest].join('\t'))
}

/** Python's `unicode_escape` of the name, whose lone surrogates are written as their bytes. */
function escaped(name: Uint8Array): string {
  const text = Buffer.from(name).toString('latin1')
  const lone = text.replace(/\xed[\xa0-\xbf][\x80-\xbf]/g, bytes =>
    [...bytes].map(byte => `\\x${hex(byte, 2)}`).join(''),
  )
  let out = ''
  for (const character of Buffer.from(lone, 'latin1').toString('utf8')) {
    const point = character.codePointAt(0)!
    if (character === '\\') out += '\\\\'
    else if (character === '\t') out += '\\t'
    else if (character === '\n') out += '\\n'
    else if (character === '\r') out += '\\r'
    else if (point >= 0x20 && point < 0x7f) out += character
    else if (point <= 0xff) out += `\\x${hex(character, 2)}`
    else out += point <= 0xffff ? `\\u${hex(character, 4)}` : `\\U${hex(character, 8)}`
  }
  return out
}

function hex(character: string, digits: number): string {
  return character.codePointAt(0)!.toString(16).padStart(digits, '0')
}
