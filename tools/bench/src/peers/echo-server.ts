import { Router } from 'zeromq'

/** Answers every message with as many bytes as its first argument says, at the endpoint of its second. A bare ROUTER. */
const [bytesText = '0', endpoint = ''] = process.argv.slice(2)
const router = new Router({ linger: 0 })
const reply = Buffer.alloc(Number(bytesText))
await router.bind(endpoint)
process.stdout.write('ready\n')
// The end of its standard input ends it: it never outlives who started it.
process.stdin.on('end', () => process.exit(0)).resume()
for await (const [sender] of router) await router.send([sender!, reply])
