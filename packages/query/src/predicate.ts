/**
 * What a query asks of an entry, after parsing and normalisation: the interface between the query language and the
 * engine. `matchesNaively` is its exact meaning in plain code; whatever the engine answers must be equal to it.
 *
 * **Path and components.** The path of an entry is a list of components: `/usr/lib/x` is ["", "usr", "lib", "x"], a
 * relative path of a list `a/b` is ["a", "b"], `C:\a` is ["C:", "a"], `\\srv\share\x` is ["\\srv", "share", "x"], the
 * directory `/` itself is [""]. The last component is the name. What stands before a root in its paths (its ancestors,
 * which are not entries) belongs to the path like everything else.
 *
 * **Keys.** Needles and literals are keys (`keyOf` of index-format) and are compared with the key of a name or component.
 * Where `spelling` is present the same test must *also* hold between `spelling` and the spelled key (`spelledKeyOf`) of the
 * original name. The first condition alone is thus always a valid filter.
 */

import type { Kind, TimeColumnName } from '@hotpath/model'

/** One step of a glob. Characters are UTF-8 sequences; a byte that belongs to none counts as a character. */
export type GlobToken =
  /** Exactly these bytes; never empty, never contains `/` unless it is a path glob. */
  | { readonly kind: 'literal'; readonly bytes: Uint8Array }
  /** One character other than `/`. */
  | { readonly kind: 'one' }
  /** Any number of characters other than `/`. */
  | { readonly kind: 'many' }
  /** Any number of characters. Only in path globs. */
  | { readonly kind: 'deep' }
  /** Nothing, or any characters that end in `/`. Stands only at the start of a component. Only in path globs. */
  | { readonly kind: 'directories' }

/**
 * A test of one name or component against a fixed string. With `words` the needle must not begin or end within a word of
 * the name: of the two characters at an end that the mode leaves open, at most one may be a letter, digit or mark.
 */
export interface NeedleTest {
  readonly mode: 'substring' | 'exact' | 'prefix' | 'suffix'
  readonly needle: Uint8Array
  readonly words?: true
  readonly spelling?: Spelling & { readonly needle: Uint8Array }
}

/** A test of a whole name or component against wildcards; tokens are only literal, one and many. */
export interface GlobTest {
  readonly mode: 'glob'
  readonly tokens: readonly GlobToken[]
  readonly spelling?: Spelling & { readonly tokens: readonly GlobToken[] }
}

/**
 * A regular expression that is found in a name or component: in its key, or, with `subject`, in that spelling of it alone.
 * Bytes that are no UTF-8 are U+FFFD to it.
 */
export interface RegexTest {
  readonly mode: 'regex'
  /** In the syntax of RE2; known to compile. */
  readonly source: string
  /** Letters that differ in case are equal. */
  readonly ignoreCase: boolean
  readonly subject?: Spelling
  /** What the key of every name that passes contains. */
  readonly required?: RequiredText
  /** `source` asks for what stands before and after the match, whose own part is its first group. */
  readonly flanked?: true
}

/** A piece of a term between separators, letters or digits alone, as a key. */
export interface FuzzyRun {
  readonly text: Uint8Array
  /** Edits that a word may be away from it; 0 for digits and short runs, which must be a word as they are. */
  readonly edits: 0 | 1 | 2
}

/**
 * A test of one name or component that forgives mistakes (`fuzzy.ts` defines which). It passes if the key holds the
 * needle; if every run is near a word of the name; if `letters` are initials of its words; or if they are in it with gaps.
 */
export interface FuzzyTest {
  readonly mode: 'fuzzy'
  readonly needle: Uint8Array
  /** Empty: edits are of no use. */
  readonly runs: readonly FuzzyRun[]
  /** Letters and digits of the needle; empty: neither initials nor gaps are of use. */
  readonly letters: Uint8Array
  /** The letters may have gaps. */
  readonly gaps: boolean
  readonly spelling?: undefined
}

/** Texts (keys) of which a key holds all, or one: a condition that a more costly one implies. */
export type RequiredText =
  | { readonly kind: 'text'; readonly mode: NeedleTest['mode']; readonly needle: Uint8Array }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly RequiredText[] }

export type NameTest = NeedleTest | GlobTest | RegexTest | FuzzyTest

/**
 * Which parts of the original spelling count. With `ascii` all do, but that without `keepCase` A–Z and a–z are equal: the
 * bytes are compared, not a normal form. Without it at least one of the two others is true.
 */
export interface Spelling {
  readonly keepCase: boolean
  readonly keepMarks: boolean
  readonly ascii?: true
}

/** The name of the entry passes the test. */
export interface NamePredicate {
  readonly kind: 'name'
  readonly test: NameTest
}

/**
 * Consecutive components of the path pass `tests` in order (at least one test). `path:abc` is one substring test,
 * `ab/cd/ef` is [suffix ab, exact cd, prefix ef], `/ab/` is [exact ab] with `end: 'inside'`.
 */
export interface PathPredicate {
  readonly kind: 'path'
  readonly tests: readonly NameTest[]
  /** `first`: the first test is for the first component of the path; `anywhere`: for any. */
  readonly start: 'first' | 'anywhere'
  /** `last`: the last test is for the name; `inside`: for a component before the name; `anywhere`: for either. */
  readonly end: 'last' | 'inside' | 'anywhere'
}

/**
 * The whole path, its components joined with `/`, matches the tokens. Only used where `**` stands between other tokens;
 * all else is a `PathPredicate`.
 */
export interface PathGlobPredicate {
  readonly kind: 'pathGlob'
  readonly tokens: readonly GlobToken[]
  readonly spelling?: Spelling & { readonly tokens: readonly GlobToken[] }
}

/** The regular expression is found in the whole path, written as `matchesPathRegex` says. */
export interface PathRegexPredicate {
  readonly kind: 'pathRegex'
  readonly test: RegexTest
}

/** Not a directory, and the key of the name ends in `.` and one of these keys (never empty; may contain dots). */
export interface ExtensionPredicate {
  readonly kind: 'extension'
  readonly extensions: readonly Uint8Array[]
}

/** min ≤ size ≤ max in bytes, both whole; max may be Infinity. Directories have size 0; an unknown size never matches. */
export interface SizePredicate {
  readonly kind: 'size'
  readonly min: number
  readonly max: number
}

/**
 * from ≤ time < to in whole seconds since 1970 (so ticks never matter); ±Infinity where open. An unknown time never
 * matches.
 */
export interface TimePredicate {
  readonly kind: 'time'
  readonly column: TimeColumnName
  readonly from: number
  readonly to: number
}

/** The column holds no value for the entry. Directories always have a size. */
export interface UnknownPredicate {
  readonly kind: 'unknown'
  readonly column: 'size' | TimeColumnName
}

/** min ≤ times that the node was opened ≤ max, both whole; max may be Infinity. What was never opened has 0. */
export interface RunsPredicate {
  readonly kind: 'runs'
  readonly min: number
  readonly max: number
}

/** from ≤ last open < to in whole seconds since 1970; ±Infinity where open. What was never opened never matches. */
export interface OpenedPredicate {
  readonly kind: 'opened'
  readonly from: number
  readonly to: number
}

/** The entry is a directory, or is not (files, symlinks and others). */
export interface TypePredicate {
  readonly kind: 'type'
  readonly directory: boolean
}

/** Not a directory, and of one of these kinds. */
export interface KindPredicate {
  readonly kind: 'kind'
  readonly kinds: readonly Kind[]
}

/** All these bits are set in the entry's attributes (`attributesOf`). */
export interface AttributesPredicate {
  readonly kind: 'attributes'
  readonly bits: number
}

/** The entry belongs to a volume whose id begins with `prefix`, ignoring the case of A–Z (`prefix` is in small letters). */
export interface VolumePredicate {
  readonly kind: 'volume'
  readonly prefix: string
}

/** No directory that is an entry of the same root holds the entry. */
export interface RootPredicate {
  readonly kind: 'root'
}

/** A directory; something directly in it has a name that passes. */
export interface ChildPredicate {
  readonly kind: 'child'
  readonly test: NameTest
}

/** A directory that directly holds min … max entries, files (all that are no directories) or directories. */
export interface ChildCountPredicate {
  readonly kind: 'childCount'
  readonly of: 'entries' | 'files' | 'directories'
  readonly min: number
  readonly max: number
}

/**
 * `name`: some other entry of the index has a name with the same key. `size`: the entry is no directory, its size is
 * known, and some other such entry of the index has the same size.
 */
export interface DuplicatePredicate {
  readonly kind: 'duplicate'
  readonly of: 'name' | 'size'
}

/**
 * The entry lies below (`under`, at any depth, never the directory itself) or directly in (`parent`) a directory, or a
 * stub or ancestor of the root, whose path ends in components that pass `tests` (all of mode exact, at least one);
 * with `anchored` these are all its components. Several directories may qualify, because keys are compared.
 */
export interface DirectoryPredicate {
  readonly kind: 'under' | 'parent'
  readonly tests: readonly NeedleTest[]
  readonly anchored: boolean
}

/** min ≤ characters of the original name ≤ max (an invalid byte is one character); max may be Infinity. */
export interface LengthPredicate {
  readonly kind: 'length'
  readonly min: number
  readonly max: number
}

/** min ≤ number of components before the name ≤ max (`/a` has 1, `/` and a relative `a` have 0); max may be Infinity. */
export interface DepthPredicate {
  readonly kind: 'depth'
  readonly min: number
  readonly max: number
}

export type LeafPredicate =
  | NamePredicate
  | PathPredicate
  | PathGlobPredicate
  | PathRegexPredicate
  | ExtensionPredicate
  | SizePredicate
  | TimePredicate
  | UnknownPredicate
  | RunsPredicate
  | OpenedPredicate
  | TypePredicate
  | KindPredicate
  | AttributesPredicate
  | VolumePredicate
  | RootPredicate
  | ChildPredicate
  | ChildCountPredicate
  | DuplicatePredicate
  | DirectoryPredicate
  | LengthPredicate
  | DepthPredicate

/**
 * Normal form: `all` and `none` stand only at the top; `and` and `or` have at least two parts, none of which is of their
 * own kind; `not` stands only before a leaf that is not a `type`.
 */
export type Predicate =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  | { readonly kind: 'and'; readonly parts: readonly Predicate[] }
  | { readonly kind: 'or'; readonly parts: readonly Predicate[] }
  | { readonly kind: 'not'; readonly part: LeafPredicate }
  | LeafPredicate
