import { keyOf } from '@hotpath/index-format'
import { Kind } from '@hotpath/model'
import { extensionOf, parseQuery } from '@hotpath/query'
import { describe, expect, it } from 'vitest'
import { fixedExtensions } from './fixed-extensions.js'
import { isNameExpression, type NameExpression } from './name-expression.js'
import { evaluateName } from './name-test.js'

function expressionOf(text: string): NameExpression {
  const query = parseQuery(text, { now: 0, match: 'name' })
  if (query.kind !== 'query' || !isNameExpression(query.predicate)) throw new Error(`${text} is not about names`)
  return query.predicate
}

function fixed(text: string): string[] | undefined {
  return fixedExtensions(expressionOf(text))?.map(extension => Buffer.from(extension).toString())
}

describe('the extensions that an expression allows', () => {
  it.each([
    ['ext:py', ['py']],
    ['ext:py;C;py', ['c', 'py']],
    ['ext:tar.gz;gz', ['gz']],
    ['*.txt', ['txt']],
    ['a*.tar.GZ', ['gz']],
    ['*.', ['']],
    ['case:*.PNG', ['png']],
    ['endwith:.py', ['py']],
    ['endwith:lib.a', ['a']],
    ['wfn:README.md', ['md']],
    ['regex:\\.py$', ['py']],
    ['*.c | ext:h', ['c', 'h']],
    ['lib ext:c;h', ['c', 'h']],
    ['ext:c;h *.c', ['c']],
  ])('are read out of %s', (text, expected) => {
    expect(fixed(text)).toEqual(expected)
  })

  it.each([
    'py',
    '.py',
    '*py',
    '*.t?t',
    '*.py*',
    'endwith:py',
    'startwith:a.py',
    '!*.py',
    '!ext:py',
    'a | ext:h',
    'len:4',
  ])('are any for %s', text => {
    expect(fixed(text)).toBeUndefined()
  })

  it('are those of every name that passes', () => {
    const texts = [
      'ext:py',
      'ext:tar.gz;gz',
      '*.',
      '*.gz',
      'case:*.GZ',
      'endwith:.gz',
      'endwith:x.',
      'wfn:a',
      'wfn:x.',
      '*x.*',
    ]
    const names = ['a', 'x.', 'a.py', 'A.GZ', 'x.tar.gz', '.gz', '.', '..', 'x..gz', 'gz', 'x.gz.', 'tar.gz', 'é.ÉX.']
    let passed = 0
    for (const text of texts) {
      const expression = expressionOf(text)
      const extensions = fixed(text)
      for (const name of names.map(text => Buffer.from(text))) {
        if (extensions === undefined || !evaluateName(expression, name, keyOf(name))) continue
        const extension = extensionOf({ components: [name], kind: Kind.file, size: 0 }) ?? new Uint8Array(0)
        expect(extensions, `${text} finds ${name}`).toContain(Buffer.from(extension).toString())
        passed++
      }
    }
    expect(passed).toBeGreaterThan(15)
  })
})
