import { instantText } from '@hotpath/model'
import { escapeBytesForTerminal, escapeForTerminal } from '@hotpath/service'
import { CommandError } from '../context.js'
import { directoryOf, type Hit } from './hit.js'
import type { HitFormat } from './hit-format.js'

/** What a template can name. Paths are bytes; what is unknown is empty. */
const FIELDS: Readonly<Record<string, (hit: Hit) => Uint8Array | string>> = {
  path: hit => hit.path,
  name: nameOf,
  dir: directoryOf,
  stem: hit => nameOf(hit).subarray(0, extensionAt(nameOf(hit))),
  ext: hit => nameOf(hit).subarray(extensionAt(nameOf(hit)) + 1),
  type: hit => hit.type,
  size: hit => (hit.size === undefined ? '' : String(hit.size)),
  modified: hit => instantText(hit.modified) ?? '',
  created: hit => instantText(hit.created) ?? '',
  accessed: hit => instantText(hit.accessed) ?? '',
  hot: hit => String(Math.round(hit.hot * 10_000) / 10_000),
  fuzzy: hit => (hit.fuzzy ? '1' : '0'),
  id: hit => Buffer.from(hit.id).toString('base64url'),
}

const ESCAPES: Readonly<Record<string, string>> = {
  t: '\t',
  n: '\n',
  r: '\r',
  '0': '\0',
  '\\': '\\',
  '{': '{',
  '}': '}',
}

export type TemplatePiece = { readonly text: string } | { readonly field: string }

/**
 * Reads `{path}\t{size}`: fields in braces, `\t`, `\n`, `\r`, `\0`, `\\`, `\{` and `\}`; anything else stands for itself. Throws
 * CommandError that names the place.
 */
export function parseTemplate(template: string): TemplatePiece[] {
  const pieces: TemplatePiece[] = []
  let text = ''
  const refuse = (at: number, expected: string): never => {
    throw new CommandError(`--format at ${at}: expected ${expected}, found ${JSON.stringify(template.slice(at))}`)
  }
  for (let at = 0; at < template.length; at++) {
    const character = template[at]!
    if (character === '\\') {
      const meant = ESCAPES[template[at + 1] ?? '']
      text +=
        meant ??
        refuse(
          at,
          `one of ${Object.keys(ESCAPES)
            .map(one => `\\${one}`)
            .join(' ')}`,
        )
      at++
    } else if (character === '{') {
      const field = template.slice(at + 1, template.indexOf('}', at))
      if (!Object.hasOwn(FIELDS, field))
        refuse(
          at,
          `one of ${Object.keys(FIELDS)
            .map(one => `{${one}}`)
            .join(' ')}, or \\{`,
        )
      if (text !== '') pieces.push({ text })
      pieces.push({ field })
      text = ''
      at += field.length + 1
    } else text += character
  }
  if (text !== '') pieces.push({ text })
  return pieces
}

/** @param end after each hit. @param isEscaped for a terminal: tabs and line feeds of the template itself stay */
export function templateFormat(template: string, { end, isEscaped }: { end: string; isEscaped: boolean }): HitFormat {
  const pieces = parseTemplate(template)
  const literal = (text: string) =>
    isEscaped
      ? text
          .split(/([\t\n])/)
          .map(escapeUnlessSpace)
          .join('')
      : text
  const value = (bytes: Uint8Array | string) =>
    isEscaped ? (typeof bytes === 'string' ? escapeForTerminal(bytes) : escapeBytesForTerminal(bytes)) : bytes
  return {
    begin: () => '',
    hit: hit =>
      Buffer.concat([
        ...pieces.map(piece => bytesOf('text' in piece ? literal(piece.text) : value(FIELDS[piece.field]!(hit)))),
        bytesOf(end),
      ]),
    end: () => '',
  }
}

function escapeUnlessSpace(text: string): string {
  return text === '\t' || text === '\n' ? text : escapeForTerminal(text)
}

function bytesOf(data: Uint8Array | string): Uint8Array {
  return typeof data === 'string' ? Buffer.from(data) : data
}

function nameOf({ path, nameStart }: Hit): Uint8Array {
  return path.subarray(nameStart)
}

const DOT = 0x2e

/** Where the dot of the extension is; the end of names without one (`.profile` has none). */
function extensionAt(name: Uint8Array): number {
  const at = name.lastIndexOf(DOT)
  return at > 0 ? at : name.length
}
