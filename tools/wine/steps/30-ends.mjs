// What the index of the step before answers after a restart, who may ask, and that nothing outlives its end, however it comes.
import { statSync } from 'node:fs'
import { Dealer } from 'zeromq'
import { connect } from '../../../packages/client/dist/index.js'
import { DealerPeer } from '../../../packages/protocol/dist/index.js'
import { makeImage } from '../image.mjs'
import { WineSystem } from '../system.mjs'

/** A peer with the keys has asked and was answered by then. */
const REFUSED_MS = 2_000
const STARTED_MS = 60_000

export default async function (wine, checks) {
  const { image, expected } = makeImage(wine.scratch, 'clusters-of-4096')
  const flags = ['--image', wine.windowsPath(image)]
  let system
  try {
    system = await WineSystem.start(wine, 'again', [...flags, '--no-scan'])
    await restarted(system, expected, checks)
    await guarded(system, checks)
    await killedStore(system, expected, checks)
    await shutDown(system, checks)
    system = await WineSystem.start(wine, 'killed', [...flags, '--no-scan'])
    // All of them: scanner and watcher start last.
    await wine.until(() => Object.keys(system.processes()).length === 5, STARTED_MS)
    await system.settled()
    process.kill(system.processes().cli, 'SIGKILL')
    const ended = (await system.ended()) === true
    const left = Object.keys(system.processes()).join(', ')
    checks.that('all stop when the supervisor is ended', ended, `left: ${left}\n${system.report()}`)
  } finally {
    system?.kill()
  }
}

async function restarted(system, expected, checks) {
  await system.settled()
  checks.equal('the index on disk has everything after a restart', await system.paths(), expected)
}

/** Keys are what lets in: ports of 127.0.0.1 are open to everybody on the machine. */
async function guarded(system, checks) {
  const mode = path => statSync(path).mode & 0o007
  checks.equal('the data directory is not for others', mode(system.dataDir), 0)
  const { sockets } = system.endpoints()
  const addresses = Object.values(sockets)
  checks.equal(
    'every socket is a port of this machine',
    addresses.filter(address => !/^tcp:\/\/127\.0\.0\.1:\d+$/.test(address)),
    [],
  )
  const strangers = addresses.map(address => {
    const stranger = new Dealer({ linger: 0, receiveTimeout: REFUSED_MS })
    stranger.connect(address)
    void stranger.send(Buffer.from('who is there?')).catch(() => {})
    return stranger
  })
  const answers = strangers.map(stranger =>
    stranger.receive().then(
      () => 'answered',
      error => error.code,
    ),
  )
  // Linux reads the keys where Windows has put them.
  const client = await connect({ dataDir: system.dataDir })
  const { total } = await client.search({ query: 'sixhundred-link' })
  await client.close()
  checks.that('a client of Linux that has the keys is answered', total > 0)
  checks.equal('no socket answers a peer without the keys', [...new Set(await Promise.all(answers))], ['EAGAIN'])
  for (const stranger of strangers) stranger.close()
}

async function killedStore(system, expected, checks) {
  const killed = system.processes()['index-store']
  process.kill(killed, 'SIGKILL')
  const isBack = async () => {
    const pid = system.processes()['index-store']
    return (
      pid !== undefined &&
      pid !== killed &&
      (await system.get('/api/search?q=sixhundred').catch(() => undefined)) !== undefined
    )
  }
  checks.that(
    'a store that was ended is started again, at the same port',
    (await system.wine.until(isBack)) === true,
    system.report(),
  )
  checks.equal('and has everything', await system.paths(), expected)
}

/** What a console does by Ctrl-C, a program does by the control socket. */
async function shutDown(system, checks) {
  const identity = { stage: 'client', instance: 'test-wine', pid: process.pid }
  const peer = new DealerPeer({ endpoint: system.endpoints().sockets['supervisor-control'], identity })
  peer.start()
  await peer.request('shutdownRequest', { reason: 'the test is over' })
  await peer.stop()
  checks.that('a request to the supervisor stops all of them', (await system.ended()) === true, system.report())
}
