import { Kind } from '@hotpath/model'
import type { Random } from '@hotpath/testing'
import { NameSource } from './name-source.js'

export interface SyntheticEntry {
  readonly path: string
  readonly kind: Kind
  /** Bytes; NaN for directories. */
  readonly size: number
  /** Seconds since 1970. */
  readonly modifiedSeconds: number
}

type Entries = Generator<SyntheticEntry, void, undefined>

/** 2005-01-01 and the seconds of twenty years. */
const OLDEST_SECONDS = 1_104_537_600
const PERIOD_SECONDS = 631_152_000
const LOCALES =
  'ar bg ca cs da de el en_GB eo es et eu fa fi fr gl he hu id it ja ko nl pl pt pt_BR ro ru sv tr uk vi zh_CN'.split(
    ' ',
  )
const ICON_SIZES = ['16x16', '22x22', '24x24', '32x32', '48x48', '64x64', '128x128', 'scalable']
const ICON_KINDS = ['actions', 'apps', 'categories', 'devices', 'mimetypes', 'places', 'status']

/** Part of all entries that a branch of the tree gets, as in an installed Debian system with somebody's home. */
const BRANCHES = [
  { path: '/usr/share/doc', share: 0.22, fill: docs },
  { path: '/usr/share/locale', share: 0.08, fill: locales },
  { path: '/usr/share/icons', share: 0.1, fill: icons },
  { path: '/usr/share/man', share: 0.05, fill: manuals },
  { path: '/usr/lib/python3/dist-packages', share: 0.13, fill: python },
  { path: '/usr/include', share: 0.08, fill: headers },
  { path: '/usr/bin', share: 0.01, fill: programs },
  { path: '/usr/src', share: 0.08, fill: sources },
  { path: '/home/user/projects', share: 0.17, fill: projects },
  { path: '/home/user/Pictures', share: 0.04, fill: personal },
  { path: '/home/user/Documents', share: 0.04, fill: personal },
] as const

/** The state that all branches share. */
class Maker {
  readonly names: NameSource

  constructor(readonly random: Random) {
    this.names = new NameSource(random)
  }

  directory(path: string): SyntheticEntry {
    return { path, kind: Kind.directory, size: Number.NaN, modifiedSeconds: this.modified() }
  }

  /** Sizes are spread evenly over their logarithms, up to about 16 MB. */
  file(path: string): SyntheticEntry {
    const size = this.random.chance(0.03) ? 0 : Math.floor(2 ** (4 + this.random.below(2_000) / 100))
    return { path, kind: this.random.chance(0.01) ? Kind.symlink : Kind.file, size, modifiedSeconds: this.modified() }
  }

  private modified(): number {
    return OLDEST_SECONDS + this.random.below(PERIOD_SECONDS)
  }

  /** Files in one directory, each name once. */
  *files(directory: string, count: number, name: () => string): Entries {
    const taken = new Set<string>()
    for (let i = 0; i < count; i++) {
      let own = name()
      for (let next = 1; taken.has(own); next++) own = numbered(name(), next)
      taken.add(own)
      yield this.file(`${directory}/${own}`)
    }
  }
}

/** `main.c` → `main-3.c` */
function numbered(name: string, number: number): string {
  const dot = name.indexOf('.', 1)
  return dot < 0 ? `${name}-${number}` : `${name.slice(0, dot)}-${number}${name.slice(dot)}`
}

/** Directories below `path`, each name once, without end. */
function* directories(path: string, name: () => string): Generator<string, never, undefined> {
  const taken = new Set<string>()
  for (;;) {
    let own = name()
    for (let next = 2; taken.has(own); next++) own = numbered(name(), next)
    taken.add(own)
    yield `${path}/${own}`
  }
}

/** `count` entries (or as many as directories above them need) in depth-first order: equal for equal seeds. */
export function* syntheticTree(random: Random, count: number): Entries {
  const maker = new Maker(random)
  const opened = new Set<string>()
  let left = count
  for (const [index, { path, share, fill }] of BRANCHES.entries()) {
    for (const above of pathsDownTo(path)) {
      if (opened.has(above) || left === 0) continue
      opened.add(above)
      yield maker.directory(above)
      left--
    }
    const isLast = index === BRANCHES.length - 1
    let budget = isLast ? left : Math.min(left, Math.floor(count * share))
    for (const entry of fill(maker, path)) {
      if (budget === 0) break
      yield entry
      budget--
      left--
    }
  }
}

function* pathsDownTo(path: string): Generator<string> {
  for (let slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) yield path.slice(0, slash)
  yield path
}

function* docs(maker: Maker, path: string): Entries {
  const { random, names } = maker
  for (const folder of directories(path, () => names.packageName())) {
    yield maker.directory(folder)
    yield maker.file(`${folder}/copyright`)
    yield maker.file(`${folder}/changelog.Debian.gz`)
    if (random.chance(0.5)) yield maker.file(`${folder}/README.md`)
    if (random.chance(0.3)) yield maker.file(`${folder}/changelog.gz`)
    if (!random.chance(0.25)) continue
    yield maker.directory(`${folder}/html`)
    yield* maker.files(`${folder}/html`, 1 + names.rank(300), () =>
      random.chance(0.2)
        ? 'index.html'
        : `${names.stem(2)}.${random.pick(['html', 'html', 'html', 'png', 'css', 'js'])}`,
    )
  }
}

function* locales(maker: Maker, path: string): Entries {
  const catalogues = Array.from({ length: 50_000 }, () => `${maker.names.packageName()}.mo`)
  for (const locale of LOCALES) {
    yield maker.directory(`${path}/${locale}`)
    yield maker.directory(`${path}/${locale}/LC_MESSAGES`)
    yield* maker.files(`${path}/${locale}/LC_MESSAGES`, 200 + maker.random.below(2_000), () =>
      maker.random.pick(catalogues),
    )
  }
  for (const folder of directories(path, () => `x-${maker.names.word()}`)) {
    yield maker.directory(folder)
    yield* maker.files(folder, 2_000, () => maker.random.pick(catalogues))
  }
}

function* icons(maker: Maker, path: string): Entries {
  const { random, names } = maker
  const icons = Array.from({ length: 3_000 }, () => names.stem(3))
  for (const theme of directories(path, () => names.stem(2))) {
    yield maker.directory(theme)
    yield maker.file(`${theme}/index.theme`)
    for (const size of ICON_SIZES) {
      yield maker.directory(`${theme}/${size}`)
      for (const kind of ICON_KINDS) {
        yield maker.directory(`${theme}/${size}/${kind}`)
        yield* maker.files(
          `${theme}/${size}/${kind}`,
          1 + names.rank(400),
          () => `${random.pick(icons)}.${size === 'scalable' ? 'svg' : 'png'}`,
        )
      }
    }
  }
}

function* manuals(maker: Maker, path: string): Entries {
  const { names } = maker
  for (const section of directories(path, () => `man${1 + names.rank(9)}`)) {
    yield maker.directory(section)
    const number = section.slice(section.lastIndexOf('man') + 3)
    yield* maker.files(section, 4_000, () => `${names.stem(3)}.${number}.gz`)
  }
}

function* python(maker: Maker, path: string): Entries {
  const { random, names } = maker
  for (const folder of directories(path, () => names.stem(2).replaceAll('-', '_'))) {
    yield maker.directory(folder)
    yield maker.file(`${folder}/__init__.py`)
    yield* maker.files(folder, 1 + names.rank(60), () => `${random.chance(0.2) ? 'test_' : ''}${names.stem(2)}.py`)
    if (!random.chance(0.4)) continue
    for (const part of ['tests', 'utils', 'data']) {
      yield maker.directory(`${folder}/${part}`)
      yield maker.file(`${folder}/${part}/__init__.py`)
      yield* maker.files(`${folder}/${part}`, names.rank(40), () => `${part.slice(0, 4)}_${names.stem(2)}.py`)
    }
  }
}

function* headers(maker: Maker, path: string): Entries {
  const { names } = maker
  for (const folder of directories(path, () => names.packageName())) {
    yield maker.directory(folder)
    yield* maker.files(folder, 1 + names.rank(300), () => `${names.stem(3)}.${maker.random.pick(['h', 'h', 'hpp'])}`)
  }
}

function* programs(maker: Maker, path: string): Entries {
  yield* maker.files(path, Number.MAX_SAFE_INTEGER, () => maker.names.stem(3))
}

function* sources(maker: Maker, path: string): Entries {
  const { random, names } = maker
  for (const release of directories(path, () => `linux-headers-${names.version()}-${names.version()}`)) {
    yield maker.directory(release)
    for (const part of ['arch', 'drivers', 'fs', 'include', 'kernel', 'net', 'sound']) {
      yield maker.directory(`${release}/${part}`)
      yield maker.file(`${release}/${part}/Makefile`)
      yield maker.file(`${release}/${part}/Kconfig`)
      let left = 5 + random.below(40)
      for (const folder of directories(`${release}/${part}`, () => names.word())) {
        if (left-- === 0) break
        yield maker.directory(folder)
        yield maker.file(`${folder}/Makefile`)
        yield* maker.files(folder, 1 + names.rank(80), () => `${names.stem(2)}.${random.pick(['h', 'c', 'c', 'ko'])}`)
      }
    }
  }
}

function* projects(maker: Maker, path: string): Entries {
  const { random, names } = maker
  for (const project of directories(path, () => names.stem(2))) {
    yield maker.directory(project)
    for (const file of ['package.json', 'README.md', 'LICENSE', '.gitignore', 'tsconfig.json']) {
      yield maker.file(`${project}/${file}`)
    }
    for (const part of ['src', 'test']) {
      yield maker.directory(`${project}/${part}`)
      yield* maker.files(`${project}/${part}`, 1 + names.rank(100), () =>
        random.chance(0.1) ? 'index.ts' : `${names.stem(3)}.${random.pick(['ts', 'ts', 'test.ts', 'json', 'md'])}`,
      )
    }
    if (!random.chance(0.3)) continue
    yield maker.directory(`${project}/node_modules`)
    let left = 10 + random.below(150)
    for (const dependency of directories(`${project}/node_modules`, () => names.stem(2))) {
      if (left-- === 0) break
      yield maker.directory(dependency)
      for (const file of ['package.json', 'README.md', 'LICENSE', 'index.js']) yield maker.file(`${dependency}/${file}`)
      yield maker.directory(`${dependency}/lib`)
      yield* maker.files(
        `${dependency}/lib`,
        1 + names.rank(30),
        () => `${names.stem(2)}.${random.pick(['js', 'd.ts', 'js.map'])}`,
      )
    }
  }
}

function* personal(maker: Maker, path: string): Entries {
  const { random, names } = maker
  for (const folder of directories(path, () =>
    random.chance(0.4) ? `${2005 + random.below(20)}-${String(1 + random.below(12)).padStart(2, '0')}` : names.stem(2),
  )) {
    yield maker.directory(folder)
    yield* maker.files(folder, 5 + names.rank(300), () => names.personal())
  }
}
