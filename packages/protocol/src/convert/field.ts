/**
 * Converters of single fields, and of messages made of them. Wire types are what protobufjs decodes: every field may
 * be missing and nothing was checked. Domain types are complete and checked. A converter throws InvalidInputError that
 * names the field, whichever way it goes: a sender learns of its mistake at once.
 */
import { InvalidInputError } from '@hotpath/model'
import { plain } from '../columns.js'

export interface FieldCodec<Domain, Wire> {
  toWire(value: Domain, what: string): Wire | undefined
  fromWire(value: Wire | null | undefined, what: string): Domain
}

type WireFields<Domain, Wire> = {
  [Key in keyof Domain]-?: Key extends keyof Wire ? FieldCodec<Domain[Key], NonNullable<Wire[Key]>> : never
}

function refuse(what: string, expected: string, found: unknown): never {
  const text = typeof found === 'string' ? JSON.stringify(found.slice(0, 80)) : String(found)
  throw new InvalidInputError(what, expected, text)
}

/** A message whose fields have the same names in both worlds. A missing message is read as one with every field missing. */
export function message<Domain extends object, Wire extends object>(
  fields: WireFields<Domain, Wire>,
): FieldCodec<Domain, Wire> {
  // Inside, the names tie field, domain and wire together; the types do so only outside.
  const entries: [string, FieldCodec<unknown, unknown>][] = Object.entries(fields)
  return {
    toWire(value, what) {
      const result: Record<string, unknown> = {}
      for (const [key, field] of entries) {
        const encoded = field.toWire(fieldOf(value, key), `${what}.${key}`)
        if (encoded !== undefined) result[key] = encoded
      }
      return result as Wire
    },
    fromWire(value, what) {
      const result: Record<string, unknown> = {}
      for (const [key, field] of entries) {
        const decoded = field.fromWire(value == null ? undefined : fieldOf(value, key), `${what}.${key}`)
        if (decoded !== undefined) result[key] = decoded
      }
      return result as Domain
    },
  }
}

function fieldOf(object: object, key: string): unknown {
  return (object as Record<string, unknown>)[key]
}

/** A message field that must be there. */
export function required<Domain, Wire>(codec: FieldCodec<Domain, Wire>): FieldCodec<Domain, Wire> {
  return {
    toWire: codec.toWire,
    fromWire: (value, what) => (value == null ? refuse(what, 'a message', 'nothing') : codec.fromWire(value, what)),
  }
}

/** A field that may be missing: `undefined` in the domain. */
export function optional<Domain, Wire>(codec: FieldCodec<Domain, Wire>): FieldCodec<Domain | undefined, Wire> {
  return {
    toWire: (value, what) => (value === undefined ? undefined : codec.toWire(value, what)),
    fromWire: (value, what) => (value == null ? undefined : codec.fromWire(value, what)),
  }
}

/** At most `max` elements. */
export function list<Domain, Wire>(
  codec: FieldCodec<Domain, Wire>,
  max: number,
): FieldCodec<readonly Domain[], Wire[]> {
  const check = (length: number, what: string) => {
    if (length > max) refuse(what, `at most ${max} elements`, length)
  }
  return {
    toWire(values, what) {
      check(values.length, what)
      const result: Wire[] = []
      for (const [i, value] of values.entries()) {
        const encoded = codec.toWire(value, `${what}[${i}]`)
        if (encoded === undefined) refuse(`${what}[${i}]`, 'a value', 'nothing')
        result.push(encoded)
      }
      return result
    },
    fromWire(values, what) {
      if (values == null) return []
      check(values.length, what)
      return values.map((value, i) => codec.fromWire(value, `${what}[${i}]`))
    },
  }
}

function checked<T>(check: (value: T, what: string) => T, missing: T): FieldCodec<T, T> {
  return { toWire: check, fromWire: (value, what) => check(value ?? missing, what) }
}

const LONE_SURROGATE = /\p{Surrogate}/u

/** Text of at most `maxBytes` bytes of UTF-8; lone surrogates are refused because they would not survive. */
export function text(maxBytes: number): FieldCodec<string, string> {
  return checked((value, what) => {
    // A code unit is 1 to 3 bytes: most texts are told apart without counting.
    if (value.length > maxBytes || (value.length * 3 > maxBytes && Buffer.byteLength(value) > maxBytes))
      refuse(what, `at most ${maxBytes} bytes`, `${Buffer.byteLength(value)} bytes`)
    if (LONE_SURROGATE.test(value)) refuse(what, 'text without lone surrogates', value)
    return value
  }, '')
}

/** Text for people: cut at `maxBytes` by the sender instead of refused, lone surrogates replaced. */
export function prose(maxBytes: number): FieldCodec<string, string> {
  const strict = text(maxBytes)
  return {
    toWire(value) {
      const bytes = Buffer.from(value.slice(0, maxBytes))
      if (bytes.length <= maxBytes) return bytes.toString()
      let end = maxBytes
      while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end--
      return bytes.toString('utf8', 0, end)
    },
    fromWire: strict.fromWire,
  }
}

/** At most `max` bytes. */
export function bytes(max: number): FieldCodec<Uint8Array, Uint8Array> {
  return checked<Uint8Array>(
    (value, what) => (value.byteLength > max ? refuse(what, `at most ${max} bytes`, value.byteLength) : plain(value)),
    new Uint8Array(0),
  )
}

export const flag: FieldCodec<boolean, boolean> = checked(value => value, false)

/** A flag that is missing where it is not set. */
export const flagWhenSet: FieldCodec<true | undefined, boolean> = {
  toWire: value => value,
  fromWire: value => (value ? true : undefined),
}

/** Unsigned integer of 32 bits, at most `max`. */
export function u32(max = 0xffffffff): FieldCodec<number, number> {
  return checked((value, what) => {
    if (!Number.isInteger(value) || value < 0 || value > max) refuse(what, `an integer from 0 to ${max}`, value)
    return value
  }, 0)
}

/** Whole number from 0 to 2^53 - 1: sequence numbers, totals, bytes. */
export const count: FieldCodec<number, number> = checked((value, what) => {
  if (!Number.isSafeInteger(value) || value < 0) refuse(what, 'a whole number from 0 to 2^53 - 1', value)
  return value
}, 0)

/** A whole number from 1 that may be missing. */
export const numberWhenSet: FieldCodec<number | undefined, number> = {
  toWire: (value, what) => (value === undefined ? undefined : count.toWire(value, what)),
  fromWire: (value, what) => (value ? count.fromWire(value, what) : undefined),
}

/** As count, or NaN where it is not known. */
export const countOrUnknown: FieldCodec<number, number> = checked((value, what) => {
  if (!Number.isNaN(value) && (!Number.isSafeInteger(value) || value < 0)) refuse(what, 'a whole number or NaN', value)
  return value
}, Number.NaN)

/** Finite and not negative: milliseconds, microseconds. */
export const duration: FieldCodec<number, number> = checked((value, what) => {
  if (!Number.isFinite(value) || value < 0) refuse(what, 'a finite number from 0', value)
  return value
}, 0)

/** A time on a clock that may be unknown: not negative, or NaN. */
export const instant: FieldCodec<number, number> = checked((value, what) => {
  if (!Number.isNaN(value) && !(value >= 0 && value < Number.POSITIVE_INFINITY))
    refuse(what, 'a time from 0 or NaN', value)
  return value
}, Number.NaN)

/** Any double: what it means is the receiver's business. */
export const double: FieldCodec<number, number> = checked(value => value, 0)

/**
 * Enum as a word. `words[n]` is the word of number n; `undefined` numbers are refused. A number that is not known is
 * refused too, except where `unspecified` says what a missing value means.
 */
export function word<const Word extends string>(words: readonly (Word | undefined)[], unspecified?: NoInfer<Word>) {
  const numbers = new Map<string, number>()
  for (const [number, name] of words.entries()) if (name !== undefined) numbers.set(name, number)
  const known = [...numbers.keys()].join(', ')
  const codec: FieldCodec<Word, number> = {
    toWire: (value, what) => numbers.get(value) ?? refuse(what, `one of ${known}`, value),
    fromWire(value, what) {
      const name = value ? words[value] : unspecified
      return name ?? refuse(what, `one of ${known}`, `number ${value ?? 0}`)
    },
  }
  return codec
}
