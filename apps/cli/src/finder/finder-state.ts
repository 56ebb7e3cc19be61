import type { Hit } from '@hotpath/client'
import type { KeyPress } from './key-decoder.js'
import { type EditedLine, edit, insert } from './line-editor.js'
import { hitOf, isSameSearch, type Results, rowOf, rowsOf, type WantedSearch } from './results.js'

/** Sorts that Tab goes through, as `--sort` calls them. */
export const SORT_CHOICES = ['hot', 'name', 'path', 'size-desc', 'modified-desc', 'ext'] as const

/** Why a query cannot be run. */
export interface QueryProblem {
  readonly search: WantedSearch
  readonly message: string
  /** Index into the text of the query; undefined if it is not about a place. */
  readonly at: number | undefined
}

/** Everything that the screen shows. */
export interface FinderState {
  readonly line: EditedLine
  /** Index into `SORT_CHOICES`. */
  readonly sort: number
  readonly fuzzy: boolean
  /** Of the last search that was answered; it may be of an earlier query. */
  readonly results: Results | undefined
  readonly problem: QueryProblem | undefined
  readonly selected: number
  /** Row of the hits that is shown first. */
  readonly top: number
  /** Rows of hits that have room. */
  readonly listRows: number
  /** Enter was pressed before the answer to the query was there: its first hit is taken. */
  readonly isAccepting: boolean
  /** For people, until the next key. */
  readonly notice: string
  /** What is between us and an answer; empty if nothing is. */
  readonly link: string
}

/** What a key asks for beyond what is shown. */
export type FinderAction = 'accept' | 'open' | 'copy' | 'quit' | 'interrupt' | 'suspend' | 'redraw'

export function initialState(text: string, listRows: number): FinderState {
  return {
    line: { text, cursor: text.length },
    sort: 0,
    fuzzy: true,
    results: undefined,
    problem: undefined,
    selected: 0,
    top: 0,
    listRows,
    isAccepting: false,
    notice: '',
    link: 'connecting …',
  }
}

/** What is wanted now. */
export function wantedSearch({ line, sort, fuzzy }: FinderState): WantedSearch {
  return { text: line.text, sort: SORT_CHOICES[sort]!, fuzzy }
}

/** Whether what is shown answers what is wanted. */
export function isAnswered(state: FinderState): boolean {
  return state.results !== undefined && isSameSearch(state.results.search, wantedSearch(state))
}

export function selectedHit({ results, selected }: FinderState): Hit | undefined {
  return results === undefined ? undefined : hitOf(results, selected)
}

const ACTIONS: Readonly<Record<string, FinderAction>> = {
  escape: 'quit',
  'ctrl-c': 'interrupt',
  'ctrl-o': 'open',
  'ctrl-y': 'copy',
  'ctrl-z': 'suspend',
  'ctrl-l': 'redraw',
}

/** The state after a key, and what else is to be done. */
export function pressed(before: FinderState, press: KeyPress): { state: FinderState; action?: FinderAction } {
  const state = { ...before, isAccepting: false, notice: '' }
  if (press.kind !== 'key') return { state: { ...state, line: insert(state.line, press.text) } }
  const { name } = press
  if (name === 'enter') {
    const isThere = isAnswered(state) && (selectedHit(state) !== undefined || rowsOf(state.results!) === 0)
    return isThere ? { state, action: 'accept' } : { state: { ...state, isAccepting: true } }
  }
  const action = ACTIONS[name]
  if (action !== undefined) return { state, action }
  if (name === 'tab' || name === 'shift-tab') {
    const step = name === 'tab' ? 1 : SORT_CHOICES.length - 1
    return { state: { ...state, sort: (state.sort + step) % SORT_CHOICES.length } }
  }
  if (name === 'ctrl-r') return { state: { ...state, fuzzy: !state.fuzzy } }
  const target = movedTo(state, name)
  if (target !== undefined) return { state: select(state, target) }
  const line = edit(state.line, name)
  return { state: line === undefined ? state : { ...state, line } }
}

function movedTo({ selected, listRows }: FinderState, key: string): number | undefined {
  switch (key) {
    case 'up':
    case 'ctrl-p':
      return selected - 1
    case 'down':
    case 'ctrl-n':
      return selected + 1
    case 'page-up':
      return selected - Math.max(1, listRows - 1)
    case 'page-down':
      return selected + Math.max(1, listRows - 1)
    case 'home':
      return 0
    case 'end':
      return Number.MAX_SAFE_INTEGER
    default:
      return undefined
  }
}

/** Selects a row, or the nearest one that there is, and brings it into view. */
export function select(state: FinderState, row: number): FinderState {
  const rows = state.results === undefined ? 0 : rowsOf(state.results)
  const selected = Math.max(0, Math.min(row, rows - 1))
  const lowest = Math.max(0, selected - Math.max(1, state.listRows) + 1)
  const highest = Math.max(0, rows - Math.max(1, state.listRows))
  const top = Math.min(Math.max(state.top, lowest), selected, Math.max(highest, lowest))
  return { ...state, selected, top }
}

export function resized(state: FinderState, listRows: number): FinderState {
  return select({ ...state, listRows }, state.selected)
}

/** An answer has come. The selection begins anew with another search, and stays with its hit where the index has changed. */
export function answered(state: FinderState, results: Results): FinderState {
  const isSame = state.results !== undefined && isSameSearch(state.results.search, results.search)
  const next = { ...state, results, problem: undefined, link: '' }
  if (!isSame) return select({ ...next, top: 0 }, 0)
  const hit = selectedHit(state)
  const row = hit === undefined ? undefined : rowOf(results, hit.id)
  // Who is at the top looks at the best hits, whichever these are.
  return select(next, state.selected === 0 || row === undefined ? state.selected : row)
}
