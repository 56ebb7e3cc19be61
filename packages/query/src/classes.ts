import { keyOf } from '@hotpath/index-format'
import { Kind } from '@hotpath/model'
import type { ExtensionPredicate, LeafPredicate } from './predicate.js'
import { fail, type TextNode } from './syntax.js'
import { FILE_CLASSES, type FileClass } from './vocabulary.js'

/** Bits of attributes by the letters that Everything has for them. */
const ATTRIBUTE_LETTERS: Readonly<Record<string, number>> = {
  r: 0x1,
  h: 0x2,
  s: 0x4,
  d: 0x10,
  a: 0x20,
  v: 0x40,
  n: 0x80,
  t: 0x100,
  p: 0x200,
  l: 0x400,
  c: 0x800,
  o: 0x1000,
  i: 0x2000,
  e: 0x4000,
}

/** The bits that letters such as `RH` ask for. */
export function readAttributes(argument: TextNode): number {
  const letters = argument.text.trim().toLowerCase()
  let bits = 0
  for (const letter of letters) bits |= ATTRIBUTE_LETTERS[letter] ?? notLetters(argument)
  return bits === 0 ? notLetters(argument) : bits
}

function notLetters(argument: TextNode): never {
  const expected = `letters of ${Object.keys(ATTRIBUTE_LETTERS).join('').toUpperCase()} such as RH`
  fail('value', argument, expected, JSON.stringify(argument.text))
}

const CLASS_NAMES: Readonly<Record<string, FileClass>> = {
  audio: 'audio',
  music: 'audio',
  video: 'video',
  pic: 'pic',
  picture: 'pic',
  image: 'pic',
  doc: 'doc',
  document: 'doc',
  exe: 'exe',
  executable: 'exe',
  zip: 'zip',
  archive: 'zip',
  compressed: 'zip',
  code: 'code',
}

const encoder = new TextEncoder()
const predicates = new Map<FileClass, ExtensionPredicate>()

/** A file with one of the extensions of a class. */
export function classPredicate(name: FileClass): ExtensionPredicate {
  let predicate = predicates.get(name)
  if (predicate === undefined) {
    const extensions = FILE_CLASSES[name].split(';').map(extension => keyOf(encoder.encode(extension)))
    predicate = { kind: 'extension', extensions }
    predicates.set(name, predicate)
  }
  return predicate
}

/** What each of the types of a list asks for: `folder;symlink`, `image`. */
export function readKinds(argument: TextNode): LeafPredicate[] {
  return argument.text.split(';').map(part => {
    const name = part.trim().toLowerCase()
    switch (name) {
      case 'file':
        return { kind: 'kind', kinds: [Kind.file] }
      case 'folder':
      case 'directory':
        return { kind: 'type', directory: true }
      case 'symlink':
      case 'link':
        return { kind: 'kind', kinds: [Kind.symlink] }
      case 'other':
        return { kind: 'kind', kinds: [Kind.other] }
      default: {
        const known = Object.hasOwn(CLASS_NAMES, name) ? CLASS_NAMES[name]! : undefined
        if (known === undefined) {
          const expected =
            'a type such as file, folder, symlink, other, audio, video, image, document, executable, archive or code'
          fail('value', argument, expected, JSON.stringify(part))
        }
        return classPredicate(known)
      }
    }
  })
}
