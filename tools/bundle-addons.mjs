// Plugins for esbuild: how bundles load native add-ons.
//
// Packages look for their add-on when they are loaded, with tools, manifests and trials that cost more than the add-on.
// Here each package is asked once, when the bundle is made, and the bundle loads what it chose; where that cannot be
// loaded, the package is asked again. koffi is not worth it.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** What a package loads here: files, as paths below a folder `node_modules`. */
function addonsOf(name) {
  const script = `
    const load = process.dlopen
    const loaded = []
    process.dlopen = (module, file, ...more) => {
      load.call(process, module, file, ...more)
      loaded.push(file)
    }
    require(${JSON.stringify(name)})
    console.log(JSON.stringify(loaded))`
  const loaded = JSON.parse(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }))
  return loaded.map(file => file.replaceAll('\\', '/').split('/node_modules/').at(-1))
}

/** CommonJS that has loaded the add-on of a package, or has asked the package (`otherwise`, an expression). */
function loading(name, otherwise) {
  const [addon, ...others] = addonsOf(name)
  if (addon === undefined || others.length > 0) throw new Error(`${name} loads ${1 + others.length} add-ons`)
  const { platform, arch } = process
  return `
    const chosen = () => {
      if (process.platform !== '${platform}' || process.arch !== '${arch}') return undefined
      try {
        return require('${addon}')
      } catch {
        return undefined
      }
    }
    module.exports = chosen() ?? ${otherwise}`
}

/** Gives bundles a module NAME-addon. */
function asks(name, otherwise, { onLoad, onResolve }) {
  onResolve({ filter: new RegExp(`^${name}-addon$`) }, ({ path }) => ({ path, namespace: 'addon' }))
  onLoad({ filter: new RegExp(`^${name}-addon$`), namespace: 'addon' }, () => ({
    contents: loading(name, otherwise),
    loader: 'js',
  }))
  onResolve({ filter: /\.node$/, namespace: 'addon' }, ({ path }) => ({ path, external: true }))
}

export const zeromq = {
  name: 'zeromq',
  setup({ onLoad, onResolve }) {
    onLoad({ filter: /zeromq[\\/]lib[\\/]load-addon\.js$/ }, () => ({
      contents: `exports.__esModule = true; exports.default = require('zeromq-addon')`,
      loader: 'js',
    }))
    asks('zeromq', ZEROMQ_LOOKUP, { onLoad, onResolve })
  },
}

const ZEROMQ_LOOKUP = `require(require.resolve('zeromq/lib/load-addon.js')).default`

export const roaring = {
  name: 'roaring',
  setup({ onLoad, onResolve }) {
    const lookup = /const roaring = \(\(\) => \{.*?\n\}\)\(\);/s
    onLoad({ filter: /node_modules[\\/]roaring[\\/]index\.js$/ }, ({ path }) => {
      const contents = readFileSync(path, 'utf8')
      if (!lookup.test(contents)) throw new Error('roaring has another way to find its add-on')
      return { contents: contents.replace(lookup, 'const roaring = require("roaring-addon");'), loader: 'js' }
    })
    asks('roaring', ROARING_LOOKUP, { onLoad, onResolve })
  },
}

const ROARING_LOOKUP = `(() => {
  const description = require.resolve('roaring/package.json')
  const { find } = require('node:module').createRequire(description)('@mapbox/node-pre-gyp/lib/pre-binding')
  return require(find(description))
})()`
