import { type EntryColumns, KIND_STUB, Kind } from '@hotpath/model'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BadRowReason } from './bad-row.js'
import { type ListOptions, ListParser } from './list-parser.js'
import { type ListRow, ListWriter } from './list-writer.js'

const encoder = new TextEncoder()
/** Bytes as a string of one character a byte: loses nothing, and works as a key. */
const latin = (bytes: Uint8Array) => String.fromCharCode(...bytes)
const unlatin = (text: string) => Uint8Array.from(text, character => character.charCodeAt(0))

type Options = Partial<ListOptions>

function parse(list: string | Uint8Array, options: Options = {}, chunkBytes = Number.MAX_SAFE_INTEGER) {
  const parser = new ListParser({ format: 'auto', ...options })
  const bytes = typeof list === 'string' ? encoder.encode(list) : list
  const batches: EntryColumns[] = []
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    batches.push(...parser.push(bytes.subarray(at, at + chunkBytes)))
  }
  batches.push(...parser.end())
  return { batches, summary: parser.summary, ...readTree(batches) }
}

interface ReadRow {
  path: string
  kind: number
  size: number
  modified?: string
  created?: string
  accessed?: string
  attributes?: number
}

/** Rows as a store would read them: checks the promises about directory numbers and gives every row its path. */
function readTree(batches: readonly EntryColumns[]): { entries: ReadRow[]; stubs: string[] } {
  const paths = new Map<number, { path: string; isEntry: boolean }>()
  const entries: ReadRow[] = []
  for (const batch of batches) {
    for (let row = 0; row < batch.count; row++) {
      const name = latin(batch.names.subarray(batch.nameOffsets[row], batch.nameOffsets[row + 1]))
      const [parent, number, kind] = [batch.parent[row]!, batch.directory[row]!, batch.kind[row]!]
      if (parent === 0) {
        expect([number, kind, name, paths.size]).toEqual([1, Kind.directory | KIND_STUB, '', 0])
        paths.set(1, { path: '', isEntry: false })
        continue
      }
      expect(paths.has(parent), `parent of ${name} comes first`).toBe(true)
      const path = parent === 1 ? name : `${paths.get(parent)!.path}/${name}`
      expect(number !== 0, path).toBe((kind & ~KIND_STUB) === Kind.directory)
      if (number !== 0) {
        const known = paths.get(number)
        expect(known?.isEntry ?? false, `${path} comes once as an entry`).toBe(false)
        expect(kind & KIND_STUB ? known : undefined, `${path} comes once as a stub`).toBe(undefined)
        if (known) expect(known.path).toBe(path)
        paths.set(number, { path, isEntry: !(kind & KIND_STUB) })
      }
      if (kind & KIND_STUB) continue
      const time = (column: 'modified' | 'created' | 'accessed') => {
        const seconds = batch[column]?.seconds[row]
        return seconds === undefined || Number.isNaN(seconds)
          ? {}
          : { [column]: `${seconds}+${batch[column]!.ticks[row]}` }
      }
      entries.push({
        path,
        kind,
        size: batch.size[row]!,
        ...time('modified'),
        ...time('created'),
        ...time('accessed'),
        ...(batch.attributes && { attributes: batch.attributes[row]! }),
      })
    }
  }
  const stubs = [...paths.values()].filter(({ isEntry, path }, index) => !isEntry && (index > 0 || path !== ''))
  return { entries, stubs: stubs.map(({ path }) => path) }
}

const paths = (list: string | Uint8Array, options?: Options) =>
  parse(list, options).entries.map(({ path, kind }) => `${path}${kind === Kind.directory ? '/' : ''}`)
const problems = (list: string | Uint8Array, options?: Options) =>
  parse(list, options).summary.bad.map(({ line, offset, reason }) => [line, offset, reason])

describe('plain text', () => {
  it('makes stubs of directories that are only implied', () => {
    const { entries, stubs } = parse('/a/b/c\n/a/d\nx/y\n')
    expect(entries.map(({ path }) => path)).toEqual(['/a/b/c', '/a/d', 'x/y'])
    expect(stubs).toEqual(['', '/a', '/a/b', 'x'])
  })

  it('sends a directory again as an entry when its row comes', () => {
    const { batches, entries, stubs } = parse('/a/b\n/a/\n/a/\n')
    expect(entries.map(({ path, kind }) => [path, kind])).toEqual([
      ['/a/b', Kind.file],
      ['/a', Kind.directory],
    ])
    expect(stubs).toEqual([''])
    expect([...batches[0]!.directory]).toEqual([1, 2, 3, 0, 3])
  })

  it('ends lines with LF or CR LF, and skips a byte order mark and empty lines', () => {
    expect(paths('\ufeffa\r\n\r\n\nb\r\r\nc')).toEqual(['a', 'b\r', 'c'])
    expect(parse('a\n\nb').summary).toMatchObject({ format: 'text', rows: 2, entries: 2, bytes: 4, badRows: 0 })
    expect(parse('').batches).toHaveLength(1)
    expect(paths('')).toEqual([])
  })

  it('splits at backslashes only behind a drive or a server', () => {
    expect(paths('C:\\a\\b\nc:/x\\y\nD:\\\nE:\n')).toEqual(['C:/a/b', 'c:/x/y', 'D:/', 'E:'])
    expect(paths('/a\\b\nx\\y\\z\n1:\\x\nC:x\\y\n')).toEqual(['/a\\b', 'x\\y\\z', '1:\\x', 'C:x\\y'])
    expect(paths('\\\\srv\\share\\x\n\\\\srv\\share\\\n')).toEqual(['\\\\srv/share/x', '\\\\srv/share/'])
    expect(paths('\\\\?\\C:\\x\n')).toEqual(['\\\\?/C:/x'])
  })

  it('takes / for the directory with the empty name', () => {
    const { entries, stubs } = parse('/\n/a\n//\n')
    expect(entries.map(({ path, kind }) => [path, kind])).toEqual([
      ['', Kind.directory],
      ['/a', Kind.file],
    ])
    expect(stubs).toEqual([])
  })

  it('leaves out components that say nothing', () => {
    expect(paths('./a\n././b\n.//c\n//d\n/e//f\n/g/./h\ni/.\n./j/\n/.//k\n/./\n')).toEqual([
      'a',
      'b',
      'c',
      '/d',
      '/e/f',
      '/g/h',
      'i/',
      'j/',
      '/k',
      '/',
    ])
    expect(paths('...\n..a\n.a\na.\n')).toEqual(['...', '..a', '.a', 'a.'])
  })

  it('reports what it cannot take', () => {
    const list = `a\n.\n./\n../b\n/x/../y\nz/..\nb\0c\n${'n'.repeat(4097)}\n${'d/'.repeat(2048)}f\n${'r/'.repeat(65_537)}\nok\n`
    expect(problems(list).map(([line, , reason]) => [line, reason])).toEqual([
      [2, BadRowReason.emptyPath],
      [3, BadRowReason.emptyPath],
      [4, BadRowReason.parentComponent],
      [5, BadRowReason.parentComponent],
      [6, BadRowReason.parentComponent],
      [7, BadRowReason.nul],
      [8, BadRowReason.nameTooLong],
      [9, BadRowReason.tooDeep],
      [10, BadRowReason.rowTooLong],
    ])
    expect(problems(list)[2]).toEqual([4, 7, BadRowReason.parentComponent])
    expect(paths(list)).toEqual(['a', 'ok'])
    expect(parse(list).stubs).toEqual([])
    expect(parse(list, { maxReported: 2 }).summary).toMatchObject({ badRows: 9, rows: 11, bad: { length: 2 } })
  })

  it('takes names at the limits', () => {
    const name = 'n'.repeat(4096)
    const deep = `${'d/'.repeat(2047)}f`
    expect(paths(`${name}\n${deep}\n`)).toEqual([name, deep])
  })

  it('finds out that a row is a directory when paths in it follow', () => {
    // The order of a walk, and the order of bytes.
    expect(paths('/a\n/a/b\n/a/b/c\n/d\n')).toEqual(['/a/', '/a/b/', '/a/b/c', '/d'])
    expect(paths('/a\n/a-b\n/a-b/x\n/a.txt\n/a/b\n/b\n')).toEqual(['/a/', '/a-b/', '/a-b/x', '/a.txt', '/a/b', '/b'])
    expect(paths('/a/x\n/a\n')).toEqual(['/a/x', '/a/'])
    expect(paths('a\na/\na/b\n')).toEqual(['a/', 'a/b'])
    expect(parse('a\na\na/b\n').summary.repeated).toBe(1)
    expect(parse('a\na/\na/b\n').summary.repeated).toBe(1)
  })

  it('holds undecided rows back over batches', () => {
    const list = `/a\n${Array.from({ length: 20 }, (_, i) => `/a-${i}\n`).join('')}/a/b\n/c\n`
    const { batches, entries } = parse(list, { batchRows: 8 })
    expect(batches.length).toBeGreaterThan(2)
    expect(batches.every(batch => batch.count <= 9)).toBe(true)
    expect(entries.find(({ path }) => path === '/a')!.kind).toBe(Kind.directory)
    expect(entries).toHaveLength(23)
  })

  it('does not hold back more than half a batch', () => {
    const chain = Array.from({ length: 100 }, (_, i) => 'a'.repeat(i + 1))
    const { entries, batches } = parse(chain.join('\n'), { batchRows: 10 })
    expect(entries.map(({ path }) => path).sort()).toEqual(chain)
    expect(batches.length).toBeGreaterThan(5)
  })

  it('keeps bytes that are not UTF-8', () => {
    const { entries } = parse(Uint8Array.of(0x2f, 0xff, 0x2f, 0xc3, 0x0a))
    expect(entries[0]!.path).toBe('/\xff/\xc3')
  })
})

describe('EFU', () => {
  const header = 'Filename,Size,Date Modified,Date Created,Attributes\r\n'

  it('reads what Everything writes', () => {
    const list = `\ufeff${header}"C:\\a",,133200000001234567,0,16\r\n"C:\\a\\b ""c"".txt",12,133200000000000000,,0x20\r\n`
    const { entries, stubs, summary } = parse(list)
    expect(entries).toEqual([
      { path: 'C:/a', kind: Kind.directory, size: Number.NaN, modified: '1675526400+1234567', attributes: 16 },
      { path: 'C:/a/b "c".txt', kind: Kind.file, size: 12, modified: '1675526400+0', attributes: 32 },
    ])
    expect(stubs).toEqual(['C:'])
    expect(summary).toMatchObject({ format: 'efu', rows: 2, entries: 2, directories: 3, badRows: 0 })
  })

  it('takes columns in any order, and rows that end early', () => {
    const list = 'attributes,"Date Accessed",Run Count,FILENAME\n16,2024-05-01,7,/a\n,,,/b\n\nDA\n'
    const { entries, summary } = parse(list, { format: 'efu' })
    expect(entries).toEqual([
      { path: '/a', kind: Kind.directory, size: Number.NaN, accessed: '1714521600+0', attributes: 16 },
      { path: '/b', kind: Kind.file, size: Number.NaN, attributes: 0 },
    ])
    expect(summary.bad).toEqual([{ line: 5, offset: 72, reason: BadRowReason.emptyPath }])
    expect(parse('Filename\n/a\n/a/b\n').entries.map(({ kind }) => kind)).toEqual([Kind.directory, Kind.file])
  })

  it('reads line ends and commas in quotes, and separators at the end', () => {
    const list = `${header}"/a\n,\r\n""b""",5\r\n/c/,,,,\r\n/d,1,,,32,\n"/e"`
    expect(paths(list)).toEqual(['/a\n,\r\n"b"', '/c/', '/d', '/e'])
    expect(problems(`${header}"a\nb",1\n"/x",y`)).toEqual([[4, 61, BadRowReason.size]])
  })

  it.each([
    ['133200000001234567', '1675526400+1234567'],
    ['1', '-11644473600+1'],
    ['9223372036849999999', '910692730084+9999999'],
    ['0', undefined],
    ['18446744073709551615', undefined],
    ['2024-05-01', '1714521600+0'],
    ['1969-12-31T23:59:59Z', '-1+0'],
    ['2024-05-01T10:20', '1714558800+0'],
    ['2024-05-01 10:20:30.1234567', '1714558830+1234567'],
    ['2024-05-01T10:20:30,5+02:00', '1714551630+5000000'],
    ['2024-05-01T10:20:30-0130', '1714564230+0'],
  ])('reads the date %s', (date, expected) => {
    expect(parse(`${header}/a,,"${date}"\n`).entries[0]!.modified).toBe(expected)
  })

  it.each([
    'x',
    '2024-13-01',
    '2024-02-30',
    '2024-05-01T24:00',
    '9223372036860000000',
    '99999999999999999999',
    '-1',
    '1.5',
  ])('reports the date %s', date => {
    expect(problems(`${header}/a,,${date}\n`)).toEqual([[2, 53, BadRowReason.date]])
  })

  it.each([
    ['', Number.NaN],
    ['0', 0],
    ['123456789', 123456789],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
    ['18446744073709551615', Number.NaN],
  ])('reads the size %s', (size, expected) => {
    expect(parse(`${header}/a,${size}\n`).entries[0]!.size).toBe(expected)
  })

  it.each(['-1', '1.5', '9007199254740993', 'x', '12345678x', '1234567890x'])('reports the size %s', size => {
    expect(problems(`${header}/a,${size}\n`)).toEqual([[2, 53, BadRowReason.size]])
  })

  it.each([
    ['16', Kind.directory, 16],
    ['0x10', Kind.directory, 16],
    ['DR', Kind.directory, 17],
    ['1040', Kind.directory, 1040],
    ['L', Kind.symlink, 1024],
    ['64', Kind.other, 64],
    ['ha', Kind.file, 34],
    ['4294967295', Kind.directory, 4294967295],
  ])('reads the attributes %s', (attributes, kind, bits) => {
    expect(parse(`${header}/a,,,,${attributes}\n`).entries[0]).toMatchObject({ kind, attributes: bits })
  })

  it.each(['4294967296', '0x', 'DX', '-1'])('reports the attributes %s', attributes => {
    expect(problems(`${header}/a,,,,${attributes}\n`)).toEqual([[2, 53, BadRowReason.attributes]])
  })

  it('loses only the line of a stray quote', () => {
    const list = `${header}"/a"x,1\n/b\n"/c\n/d\n"/e" ,\n"/f"\n"/g\n`
    expect(problems(list)).toEqual([
      [2, 53, BadRowReason.quote],
      [4, 64, BadRowReason.quote],
      [6, 71, BadRowReason.quote],
      [8, 83, BadRowReason.quote],
    ])
    expect(paths(list)).toEqual(['/b', '/d', '/f'])
  })

  it('reports rows with too many fields', () => {
    expect(problems('Filename,Size\n/a,b,1\n/c,1,,\n')).toEqual([[2, 14, BadRowReason.tooManyFields]])
  })

  it('reads a list without a header as the usual columns, and says so', () => {
    const list = 'Name,Size\n/a,1\n'
    expect(problems(list, { format: 'efu' })).toEqual([[1, 0, BadRowReason.header]])
    expect(parse(list, { format: 'efu' }).entries[0]).toMatchObject({ path: '/a', size: 1 })
    expect(paths(list)).toEqual(['Name,Size', '/a,1'])
    expect(parse('Size,"Filename"\r\n1,x').summary.format).toBe('efu')
    expect(parse('my Filename\nx').summary.format).toBe('text')
  })

  it('reports rows that never end, once, however they are cut', () => {
    const long = `${header}"${'x'.repeat(200_000)}\n/b\n${'/c'.repeat(100_000)}\n/d\n`
    for (const chunkBytes of [10_000, 131_072, 1_000_000]) {
      const { entries, summary } = parse(long, {}, chunkBytes)
      expect(entries.map(({ path }) => path)).toEqual(['/b', '/d'])
      expect(summary.bad.map(({ line, reason }) => [line, reason])).toEqual([
        [2, BadRowReason.rowTooLong],
        [4, BadRowReason.rowTooLong],
      ])
    }
  })
})

describe('chunks', () => {
  const lists = [
    '\ufeffFilename,Size,Date Modified\r\n"/a/b",1,133200000001234567\r\n"/a/""q""\r\n,x"\r\n/a,,,\n"bad"x\n\n/z/"r",2\r\n"open\n/last',
    '/a/b\r\n/a\n\n../x\nC:\\d\\e\n/a/b/\n./rel/x\n\r\n/last\r',
  ]
  it.each(lists)('may be cut anywhere (%#)', list => {
    const bytes = encoder.encode(list)
    const whole = parse(bytes)
    for (let cut = 0; cut <= bytes.length; cut++) {
      const parser = new ListParser({ format: 'auto' })
      const batches = [bytes.subarray(0, cut), bytes.subarray(cut)].flatMap(chunk => parser.push(chunk))
      batches.push(...parser.end())
      expect({ batches, summary: parser.summary }).toEqual({ batches: whole.batches, summary: whole.summary })
    }
    expect(parse(bytes, {}, 1)).toEqual(whole)
  })

  it('stay as they are', () => {
    const bytes = encoder.encode('Filename\n"C:\\a\\""b"""\n')
    const before = bytes.slice()
    parse(bytes)
    expect(bytes).toEqual(before)
  })

  it('cannot follow the end', () => {
    const parser = new ListParser({ format: 'text' })
    parser.end()
    expect(() => parser.push(encoder.encode('x'))).toThrow('push after end')
    expect(() => parser.end()).toThrow('end after end')
  })
})

describe('written lists', () => {
  const component = fc
    .oneof(
      fc
        .string({ unit: fc.constantFrom(...'ab".,\n\r\\ é日'), minLength: 1, maxLength: 4 })
        .map(text => latin(encoder.encode(text))),
      fc.uint8Array({ minLength: 1, maxLength: 4 }).map(latin),
    )
    .filter(
      name =>
        !/[/\0]/.test(name) && name !== '.' && name !== '..' && !/^[a-z]:/i.test(name) && !name.startsWith('\\\\'),
    )
  const time = fc.record({
    seconds: fc.oneof(fc.constant(Number.NaN), fc.integer({ min: -11_644_473_599, max: 253_402_300_799 })),
    ticks: fc.integer({ min: 0, max: 9_999_999 }),
  })
  const row = fc.record({
    parts: fc.array(component, { minLength: 1, maxLength: 4 }),
    start: fc.constantFrom('', '/', 'C:/', '\\\\srv/'),
    kind: fc.constantFrom(Kind.file, Kind.directory, Kind.symlink, Kind.other),
    size: fc.oneof(fc.constant(Number.NaN), fc.maxSafeNat()),
    modified: time,
    created: time,
    accessed: time,
  })
  const rows = fc
    .uniqueArray(row, { maxLength: 20, selector: ({ start, parts }) => `${start}${parts.join('/')}` })
    .map(list =>
      list.map(({ start, parts, ...values }): ListRow => {
        // A backslash would be a separator behind a drive or server.
        const clean = /^[C\\]/.test(start) ? parts.map(part => part.replaceAll('\\', '_')) : parts
        return { path: unlatin(`${start}${clean.join('/')}`), ...values }
      }),
    )
    .map(list => [...new Map(list.map(item => [latin(item.path), item])).values()])
  const runs = process.env.SOAK ? 10_000 : 300
  const timeoutMs = process.env.SOAK ? 900_000 : 60_000

  const known = (value: { seconds: number; ticks: number } | undefined, column: string) =>
    !value || Number.isNaN(value.seconds) ? {} : { [column]: `${value.seconds}+${value.ticks}` }

  it.each(['efu', 'csv'] as const)(
    'as %s are read as they were',
    format => {
      fc.assert(
        fc.property(rows, fc.integer({ min: 1, max: 100 }), (list, chunkBytes) => {
          const writer = new ListWriter({ format, times: ['modified', 'created', 'accessed'] })
          for (const item of list) expect(writer.add(item)).toBe(true)
          const { entries, summary } = parse(writer.take(), {}, chunkBytes)
          expect(summary.bad).toEqual([])
          expect(entries.map(({ attributes, ...values }) => values)).toEqual(
            list.map(({ path, kind, size, modified, created, accessed }) => ({
              path: latin(path),
              kind,
              size,
              ...known(modified, 'modified'),
              ...known(created, 'created'),
              ...known(accessed, 'accessed'),
            })),
          )
        }),
        { numRuns: runs },
      )
    },
    timeoutMs,
  )

  it(
    'as text are read as they were, but for paths that text cannot hold',
    () => {
      fc.assert(
        fc.property(rows, list => {
          // In text a file that has something below it would be a directory.
          const files = list.filter(a => !list.some(b => latin(b.path).startsWith(`${latin(a.path)}/`)))
          const writer = new ListWriter({ format: 'text' })
          const written = files.filter(item => writer.add(item))
          expect(files.filter(item => !written.includes(item)).every(({ path }) => /\n|\r$/.test(latin(path)))).toBe(
            true,
          )
          const { entries, summary } = parse(writer.take(), { format: 'text' })
          expect(summary.bad).toEqual([])
          expect(entries.map(({ path, kind }) => [path, kind])).toEqual(
            written.map(({ path, kind }) => [latin(path), kind === Kind.directory ? kind : Kind.file]),
          )
        }),
        { numRuns: runs },
      )
    },
    timeoutMs,
  )

  it('look as they should', () => {
    const item: ListRow = {
      path: encoder.encode('C:/a "b"'),
      kind: Kind.file,
      size: 5,
      modified: { seconds: 1_675_526_400, ticks: 1_234_567 },
      attributes: 0x21,
    }
    const written = (format: 'efu' | 'csv' | 'text', list: ListRow[]) => {
      const writer = new ListWriter({ format })
      for (const each of list) writer.add(each)
      expect(writer.pendingBytes).toBeGreaterThan(0)
      const text = new TextDecoder().decode(writer.take())
      expect(writer.pendingBytes).toBe(0)
      return text
    }
    const header = 'Filename,Size,Date Modified,Date Created,Attributes\r\n'
    const root: ListRow = { path: encoder.encode('/'), kind: Kind.directory, size: Number.NaN }
    expect(written('efu', [item, root])).toBe(`${header}"C:\\a ""b""",5,133200000001234567,,33\r\n"/",,,,16\r\n`)
    expect(written('csv', [item, root])).toBe(
      `${header}"C:\\a ""b""",5,2023-02-04T16:00:00.1234567Z,,RA\r\n"/",,,,D\r\n`,
    )
    expect(written('text', [{ ...item, path: encoder.encode('C:\\a'), kind: Kind.directory }])).toBe('C:\\a\\\n')
    expect(written('text', [item, root, { ...item, kind: Kind.directory }])).toBe('C:\\a "b"\n/\nC:\\a "b"\\\n')
  })

  it(
    'that are damaged give reported rows and the others',
    () => {
      const change = fc.record({ at: fc.nat(), remove: fc.nat(3), insert: fc.uint8Array({ maxLength: 3 }) })
      const format = fc.constantFrom('efu', 'csv', 'text')
      fc.assert(
        fc.property(rows, format, fc.array(change, { minLength: 1, maxLength: 5 }), (list, written, changes) => {
          const writer = new ListWriter({ format: written })
          for (const item of list) writer.add(item)
          let bytes = writer.take()
          for (const { at, remove, insert } of changes) {
            const place = at % (bytes.length + 1)
            bytes = Uint8Array.from([...bytes.subarray(0, place), ...insert, ...bytes.subarray(place + remove)])
          }
          const whole = parse(bytes)
          const { summary, entries } = whole
          expect(summary.rows).toBe(summary.entries + summary.repeated + summary.badRows)
          expect(entries).toHaveLength(summary.entries)
          expect(parse(bytes, {}, 7)).toEqual(whole)
        }),
        { numRuns: runs },
      )
    },
    timeoutMs,
  )

  it(
    'of random bytes never throw',
    () => {
      const noise = fc.array(fc.constantFrom(...'a/\\",.\n\r:C0x5\0é'), { maxLength: 60 })
      fc.assert(
        fc.property(noise, fc.constantFrom('efu', 'text', 'auto'), (characters, format) => {
          const list = `${format === 'auto' ? 'Filename,Size,Attributes\n' : ''}${characters.join('')}`
          expect(parse(list, { format }, 3)).toEqual(parse(list, { format }))
        }),
        { numRuns: runs },
      )
    },
    timeoutMs,
  )
})
