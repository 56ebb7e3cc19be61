import { compareBytes } from '@hotpath/index-format'
import type { NameTest } from '@hotpath/query'
import type { NameExpression } from './name-expression.js'

/**
 * The extensions that names which pass have at most, as the sort by extension takes them: what follows the last dot, empty
 * for none. Undefined if the expression does not say.
 */
export function fixedExtensions(expression: NameExpression): readonly Uint8Array[] | undefined {
  switch (expression.kind) {
    case 'extension':
      // `ext:tar.gz`: the extension of these names is `gz`.
      return distinct(expression.extensions.map(extension => afterDot(extension) ?? extension))
    case 'name': {
      const extension = afterDot(endOf(expression.test))
      return extension && [extension]
    }
    case 'and':
      return expression.parts
        .flatMap(part => {
          const extensions = fixedExtensions(part)
          return extensions ? [extensions] : []
        })
        .sort((a, b) => a.length - b.length)[0]
    case 'or': {
      const found: Uint8Array[] = []
      for (const part of expression.parts) {
        const extensions = fixedExtensions(part)
        if (extensions === undefined) return undefined
        found.push(...extensions)
      }
      return distinct(found)
    }
    default:
      return undefined
  }
}

/** What every key that passes ends with. */
function endOf(test: NameTest): Uint8Array {
  switch (test.mode) {
    case 'suffix':
    case 'exact':
      return test.needle
    case 'glob': {
      const last = test.tokens.at(-1)
      return last?.kind === 'literal' ? last.bytes : NOTHING
    }
    case 'regex': {
      const { required } = test
      return required?.kind === 'text' && (required.mode === 'suffix' || required.mode === 'exact')
        ? required.needle
        : NOTHING
    }
    default:
      return NOTHING
  }
}

/** What follows the last dot; undefined without one. */
function afterDot(text: Uint8Array): Uint8Array | undefined {
  const dot = text.lastIndexOf(0x2e)
  return dot < 0 ? undefined : text.subarray(dot + 1)
}

function distinct(extensions: readonly Uint8Array[]): Uint8Array[] {
  const sorted = [...extensions].sort(compareBytes)
  return sorted.filter((extension, i) => i === 0 || compareBytes(extension, sorted[i - 1]) !== 0)
}

const NOTHING = new Uint8Array(0)
