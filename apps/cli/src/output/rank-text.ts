import type { HitRank } from '@hotpath/client'
import { escapeBytesForTerminal } from '@hotpath/service'
import type { Hit } from './hit.js'

const PLACES: Readonly<Record<NonNullable<HitRank['place']>, string>> = {
  whole: 'the whole name',
  start: 'start of the name',
  part: 'start of a part',
  inside: 'inside a word',
}

/**
 * Why a hit stands where it stands, a line for people; nothing where the search was not explained. What is compared comes in the order in
 * which it is compared.
 *
 * @param at place among all hits, from 0
 */
export function rankLine({ rank, path }: Hit, at: number): string {
  if (rank === undefined) return ''
  const { hot, nearness, allTerms, place, characters, depth } = rank
  const said = [hot > 0 ? `heat ${hot.toFixed(4)}` : 'never opened']
  if (place === null) said.push('no term for names, newest first')
  else {
    said.push(
      nearness === 0 ? 'as typed' : `distance ${nearness}`,
      allTerms ? 'all terms' : 'not all terms',
      PLACES[place],
    )
    said.push(`${characters} ${characters === 1 ? 'character' : 'characters'}`, `depth ${depth}`)
  }
  return `#${at + 1} ${said.join(', ')}: ${escapeBytesForTerminal(path)}\n`
}
