import { parseSyntax } from './parser.js'
import { QueryFailure, type SyntaxNode } from './syntax.js'

const DATE_FUNCTIONS: ReadonlySet<string> = new Set([
  'datemodified',
  'datecreated',
  'dateaccessed',
  'recentchange',
  'daterun',
])

/**
 * Whether a query may find something else at another time although the index is the same: it has a date that is counted from now
 * (`dm:today`, `dr:last3days`). Dates of digits are taken for what they are; every word counts as one that depends. A text that is no
 * query does not. Cost: a parse.
 */
export function dependsOnTime(text: string): boolean {
  if (!text.includes(':')) return false
  try {
    return hasRelativeDate(parseSyntax(text))
  } catch (error) {
    if (error instanceof QueryFailure) return false
    throw error
  }
}

function hasRelativeDate(node: SyntaxNode): boolean {
  switch (node.type) {
    case 'and':
    case 'or':
      return node.parts.some(hasRelativeDate)
    case 'not':
    case 'modifier':
      return hasRelativeDate(node.part)
    case 'condition':
      return node.part !== undefined && hasRelativeDate(node.part)
    case 'function':
      return DATE_FUNCTIONS.has(node.name) && !/^[\d\s<>=.:tz-]*$/i.test(node.argument.text)
    case 'term':
    case 'everything':
      return false
  }
}
