import { MAX_ID_BYTES, MAX_PROSE_BYTES, MAX_REPLY_BYTES } from '../limits.js'
import type { Bye, Cancel, Empty, ErrorReply, Fragment, Hello, Refused, Welcome } from '../messages/handshake.js'
import type { hotpath } from '../wire.js'
import { bytes, message, numberWhenSet, prose, text, u32, word } from './field.js'

type V1 = {
  Hello: hotpath.v1.Hello.$Properties
  Welcome: hotpath.v1.Welcome.$Properties
  Refused: hotpath.v1.Refused.$Properties
  ErrorReply: hotpath.v1.ErrorReply.$Properties
  Fragment: hotpath.v1.Fragment.$Properties
  Cancel: hotpath.v1.Cancel.$Properties
  Bye: hotpath.v1.Bye.$Properties
}

const stage = word([undefined, 'scanner', 'watcher', 'store', 'gateway', 'client', 'supervisor'])
const identity = { protocolVersion: u32(), stage, instance: text(MAX_ID_BYTES), pid: u32() }

export const empty = message<Empty, object>({})

export const hello = message<Hello, V1['Hello']>({ ...identity, connection: u32() })

export const welcome = message<Welcome, V1['Welcome']>({
  ...identity,
  heartbeatMs: u32(),
  lostMs: u32(),
  maxMessageBytes: u32(),
})

export const refused = message<Refused, V1['Refused']>({
  code: word([undefined, 'version', 'notGreeted', 'malformed', 'stage', 'full']),
  message: prose(MAX_PROSE_BYTES),
  supportedVersion: u32(),
})

export const errorReply = message<ErrorReply, V1['ErrorReply']>({
  code: text(MAX_ID_BYTES),
  message: prose(MAX_PROSE_BYTES),
  what: prose(MAX_PROSE_BYTES),
  expected: prose(MAX_PROSE_BYTES),
  found: prose(MAX_PROSE_BYTES),
})

export const fragment = message<Fragment, V1['Fragment']>({
  index: u32(),
  totalBytes: u32(MAX_REPLY_BYTES),
  data: bytes(MAX_REPLY_BYTES),
})

export const cancel = message<Cancel, V1['Cancel']>({ requestId: u32(), search: numberWhenSet })

export const bye = message<Bye, V1['Bye']>({ reason: prose(MAX_PROSE_BYTES) })
