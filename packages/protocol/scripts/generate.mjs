// Writes generated/hotpath.js and generated/hotpath.d.ts from proto/hotpath/v1/*.proto. They are not committed.
import { mkdirSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const require = createRequire(import.meta.url)
const here = dirname(fileURLToPath(import.meta.url))
const protoRoot = join(here, '../../../proto')
const output = join(here, '../generated')
mkdirSync(output, { recursive: true })

const protos = readdirSync(join(protoRoot, 'hotpath/v1'))
  .filter(name => name.endsWith('.proto'))
  .sort()
  .map(name => join(protoRoot, 'hotpath/v1', name))

const pbjs = promisify(require('protobufjs-cli/pbjs').main)
const pbts = promisify(require('protobufjs-cli/pbts').main)
const javascript = join(output, 'hotpath.js')

await pbjs([
  '--target=static-module',
  '--wrap=esm',
  // Node resolves no bare directories of a package without an exports map.
  '--dependency=protobufjs/minimal.js',
  '--root=hotpath',
  // Messages are only encoded and decoded: nothing here builds one from an untrusted object.
  '--no-create',
  '--no-verify',
  '--no-convert',
  '--no-delimited',
  '--no-typeurl',
  '--no-service',
  `--path=${protoRoot}`,
  `--out=${javascript}`,
  ...protos,
])
await pbts([`--out=${join(output, 'hotpath.d.ts')}`, javascript])
