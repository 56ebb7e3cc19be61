// A stage for tests, run by the real life cycle.
import { BusyError, UnavailableError } from '@hotpath/model'
import { runStage } from '../dist/index.js'

await runStage({
  name: 'scanner',
  extraFlags: {
    once: { type: 'boolean', help: 'end by itself' },
    failure: { type: 'string', valueName: 'KIND', help: 'fail in this way' },
    url: { type: 'string', valueName: 'URL', help: 'say that it is here' },
    unhealthy: { type: 'boolean', help: 'say that something is wrong' },
    shared: { type: 'boolean', help: 'take no lock' },
  },
  exclusive: extra => !extra.shared,
  async start({ config, extra, log, signal, fail, restart, supervised }) {
    log.child('scanner.test').info('configured', { config, supervised })
    if (extra.failure === 'busy') throw new BusyError('the thing')
    if (extra.failure === 'unavailable') throw new UnavailableError('not there')
    if (extra.failure === 'bug') throw new TypeError('oops')
    if (extra.failure === 'later') setImmediate(() => fail(new UnavailableError('lost')))
    if (extra.failure === 'restart') setImmediate(() => restart('the cause is gone'))
    if (extra.failure === 'uncaught') setImmediate(() => Promise.reject(new Error('nobody')))
    const timer = setInterval(() => {}, 1_000)
    return {
      async stop() {
        log.info('cleaned up', { aborted: signal.aborted })
        clearInterval(timer)
      },
      health: () => [{ name: 'disk', ok: !extra.unhealthy, detail: 'full' }],
      stats: () => [{ name: 'hotpath_test_total', kind: 'counter', value: 1, labels: [] }],
      ...(extra.once ? { finished: Promise.resolve() } : {}),
      ...(extra.url === undefined ? {} : { url: extra.url }),
    }
  },
})
