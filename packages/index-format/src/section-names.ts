import {
  ACCESS_SECTIONS,
  type AccessSection,
  FILE_SECTIONS,
  KEY_RULES_TAG,
  TABLE_SECTIONS,
  type TableSection,
  TIME_LETTERS,
  TREE_SECTIONS,
} from './segment-layout.js'

/** What sections are for, by what people know: each section belongs to one. */
export const SECTION_GROUPS = [
  'names',
  'finding names',
  'entries of names',
  'tree',
  'sizes',
  'times',
  'first of an order',
  'file ids',
  'words',
  'kinds and attributes',
  'permissions',
  'other',
] as const
export type SectionGroup = (typeof SECTION_GROUPS)[number]

/** A section as it is shown to people. */
export interface SectionName {
  readonly name: string
  readonly group: SectionGroup
}

const TABLE_NAMES: Readonly<Record<TableSection, SectionName>> = {
  names: { name: 'names', group: 'names' },
  nameBlockOffsets: { name: 'places of names', group: 'names' },
  nameCounts: { name: 'entries of each name', group: 'entries of names' },
  nameCountOverflow: { name: 'entries of frequent names', group: 'entries of names' },
  inverseBlockStarts: { name: 'places in the list from names to entries', group: 'entries of names' },
  inverse: { name: 'from names to entries', group: 'entries of names' },
  nameIds: { name: 'from entries to names', group: 'entries of names' },
  gramKeys: { name: 'grams', group: 'finding names' },
  gramOffsets: { name: 'places of postings', group: 'finding names' },
  gramBlocks: { name: 'frequencies of grams', group: 'finding names' },
  gramTotals: { name: 'totals of grams', group: 'finding names' },
  postings: { name: 'postings of grams', group: 'finding names' },
  heavy: { name: 'totals of frequent substrings', group: 'finding names' },
  newest: { name: 'modified last', group: 'first of an order' },
  oldest: { name: 'modified first', group: 'first of an order' },
  kind: { name: 'kinds', group: 'kinds and attributes' },
  attributes: { name: 'attributes', group: 'kinds and attributes' },
  refLow: { name: 'file ids, low half', group: 'file ids' },
  refHigh: { name: 'file ids, high half', group: 'file ids' },
  refBirth: { name: 'file ids, birth or sequence', group: 'file ids' },
}

const OTHER_NAMES: Readonly<
  Record<keyof typeof TREE_SECTIONS | keyof typeof FILE_SECTIONS | AccessSection, SectionName>
> = {
  dirIds: { name: 'folder numbers', group: 'tree' },
  dirEnds: { name: 'ends of folders', group: 'tree' },
  dirFirstFiles: { name: 'first files of folders', group: 'tree' },
  dirParents: { name: 'parents of folders', group: 'tree' },
  stubs: { name: 'folders that are elsewhere', group: 'tree' },
  dirsById: { name: 'folders by number', group: 'tree' },
  entriesByRef: { name: 'entries by file id', group: 'file ids' },
  words: { name: 'words of names', group: 'words' },
  size: { name: 'sizes', group: 'sizes' },
  largest: { name: 'largest files', group: 'first of an order' },
  smallest: { name: 'smallest files', group: 'first of an order' },
  mode: { name: 'permissions of folders', group: 'permissions' },
  user: { name: 'owners of folders', group: 'permissions' },
  group: { name: 'groups of folders', group: 'permissions' },
}

const TIME_NAMES: Readonly<Record<keyof typeof TIME_LETTERS, string>> = {
  modified: 'modification times',
  changed: 'times of changed metadata',
  created: 'creation times',
  accessed: 'access times',
}
const TIME_PARTS = { SC: '', TK: ', parts of a second', EX: ', beyond 1970 to 2106' } as const
const TABLE_OWNERS = { d: 'folders', f: 'files' } as const

const NAMES: ReadonlyMap<string, SectionName> = new Map(allNames())

function* allNames(): Generator<[string, SectionName]> {
  yield [KEY_RULES_TAG, { name: 'rules of matching', group: 'names' }]
  for (const sections of [TREE_SECTIONS, FILE_SECTIONS, ACCESS_SECTIONS]) {
    for (const [section, tag] of Object.entries(sections)) yield [tag, OTHER_NAMES[section as keyof typeof OTHER_NAMES]]
  }
  for (const [table, owner] of Object.entries(TABLE_OWNERS)) {
    for (const [section, tag] of Object.entries(TABLE_SECTIONS)) {
      const { name, group } = TABLE_NAMES[section as TableSection]
      yield [`${table}${tag}`, { name: `${name} (${owner})`, group }]
    }
    for (const [column, letter] of Object.entries(TIME_LETTERS)) {
      for (const [part, more] of Object.entries(TIME_PARTS)) {
        const name = `${TIME_NAMES[column as keyof typeof TIME_LETTERS]}${more} (${owner})`
        yield [`${table}${letter}${part}`, { name, group: 'times' }]
      }
    }
  }
}

/** The name of a section by its tag, for people; one of a newer version is called by its tag. */
export function sectionName(tag: string): SectionName {
  return NAMES.get(tag) ?? { name: tag, group: 'other' }
}
