/** The query as it was written. Positions and lengths count UTF-16 code units of the query text. */
export interface Located {
  readonly position: number
  readonly length: number
}

/** Text of a term or argument, without its quotes. */
export interface TextNode extends Located {
  readonly type: 'term'
  readonly text: string
}

export type SyntaxNode =
  | TextNode
  | (Located & { readonly type: 'and' | 'or'; readonly parts: readonly SyntaxNode[] })
  | (Located & { readonly type: 'not'; readonly part: SyntaxNode })
  | (Located & { readonly type: 'modifier'; readonly name: string; readonly part: SyntaxNode })
  /** A condition without a value, such as `file:`. Without `part` it stands alone. */
  | (Located & { readonly type: 'condition'; readonly name: string; readonly part: SyntaxNode | undefined })
  | (Located & { readonly type: 'function'; readonly name: string; readonly argument: TextNode })
  /** The empty query. */
  | (Located & { readonly type: 'everything' })

/**
 * Why a text is no query. `syntax`: the text breaks the grammar; `unknown-function`: `name:` is not known (`known` lists
 * what is); `value`: an argument does not fit its function; `limit`: too long, too many terms or nested too deep.
 */
export interface QueryError extends Located {
  readonly kind: 'error'
  readonly code: 'syntax' | 'unknown-function' | 'value' | 'limit'
  /** What would have been right at `position`. */
  readonly expected: string
  /** For people, complete by itself. */
  readonly message: string
  readonly known?: readonly string[]
}

/** Carries a `QueryError` out of the recursion; never leaves the package. */
export class QueryFailure extends Error {
  constructor(readonly error: QueryError) {
    super(error.message)
  }
}

/** Throws the error for a place in the text. */
export function fail(code: QueryError['code'], at: Located, expected: string, found: string): never {
  const message = `at ${at.position + 1}: expected ${expected}, found ${found}`
  throw new QueryFailure({ kind: 'error', code, position: at.position, length: at.length, expected, message })
}
