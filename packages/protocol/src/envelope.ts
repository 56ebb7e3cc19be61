/**
 * One message: an Envelope with exactly one body. Encoding and decoding of all bodies goes through here, so that
 * whatever a peer sends becomes either a checked value or an InvalidInputError / UnsupportedVersionError.
 */
import { InvalidInputError, UnsupportedVersionError } from '@hotpath/model'
import * as control from './convert/control.js'
import * as events from './convert/events.js'
import type { FieldCodec } from './convert/field.js'
import * as handshake from './convert/handshake.js'
import * as ingest from './convert/ingest.js'
import * as query from './convert/query.js'
import * as rows from './convert/rows.js'
import { encodeWire } from './encoding.js'
import { guarded } from './guarded.js'
import { MAX_ID_BYTES, MAX_REPLY_BYTES, PROTOCOL_VERSION } from './limits.js'
import type * as c from './messages/control.js'
import type { Event } from './messages/events.js'
import type * as h from './messages/handshake.js'
import type * as i from './messages/ingest.js'
import type * as q from './messages/query.js'
import type * as r from './messages/rows.js'
import { type hotpath, wire } from './wire.js'

/** Every body by its name, which is the name of its field in the oneof. */
export interface Bodies {
  hello: h.Hello
  welcome: h.Welcome
  refused: h.Refused
  error: h.ErrorReply
  fragment: h.Fragment
  cancel: h.Cancel
  ping: h.Empty
  pong: h.Empty
  bye: h.Bye
  scanBegin: i.ScanBegin
  scanAccepted: i.ScanAccepted
  entryBatch: i.EntryBatch
  scanProgress: i.ScanProgress
  scanEnd: i.ScanEnd
  changeBatch: i.ChangeBatch
  ack: i.Ack
  scanCommand: i.ScanCommand
  cancelScan: i.CancelScan
  barrier: i.Barrier
  barrierDone: i.BarrierDone
  watchState: i.WatchState
  listCommand: i.ListCommand
  watchCommand: i.WatchCommand
  unwatchCommand: i.UnwatchCommand
  watchReport: i.WatchReport
  checkCommand: i.CheckCommand
  checkBatch: i.CheckBatch
  checkEnd: i.CheckEnd
  cancelCheck: i.CancelCheck
  journalReached: i.JournalReached
  searchRequest: q.SearchRequest
  searchReply: q.SearchReply
  searchBatch: q.SearchBatch
  searchBatchReply: q.SearchBatchReply
  clockRequest: h.Empty
  clockReply: q.ClockReply
  statusRequest: h.Empty
  statusReply: q.StatusReply
  rescanRequest: q.RootRequest
  rescanReply: q.RescanReply
  flushRequest: q.RootRequest
  flushReply: q.FlushReply
  compactRequest: q.RootRequest
  compactReply: q.CompactReply
  importRequest: q.ImportRequest
  importReply: q.ImportReply
  openBatch: q.OpenBatch
  openReply: q.OpenReply
  forgetRequest: q.ForgetRequest
  forgetReply: q.ForgetReply
  liveOpen: q.LiveOpen
  liveReply: q.LiveReply
  liveChange: q.LiveChange
  liveResync: q.LiveResync
  liveAck: q.LiveName
  liveClose: q.LiveName
  statisticsRequest: h.Empty
  statisticsReply: q.StatisticsReply
  sizesRequest: q.SizesRequest
  sizesReply: q.SizesReply
  rowSearchRequest: q.RowSearchRequest
  rowSearchReply: q.RowSearchReply
  event: Event
  healthRequest: h.Empty
  healthReply: c.HealthReply
  statsRequest: h.Empty
  statsReply: c.StatsReply
  shutdownRequest: c.ShutdownRequest
  shutdownReply: h.Empty
  tapRequest: c.TapSwitch
  tapReply: c.TapSwitch
  tapCopy: c.TapCopy
  databasesRequest: h.Empty
  databasesReply: r.DatabasesReply
  rowsSubscribe: r.RowsSubscribe
  rowsSubscribed: r.RowsSubscribed
  rowsCredit: r.RowsCredit
  rowsUnsubscribe: r.RowsName
  rowsPart: r.RowsPart
  rowsReset: r.RowsReset
  rowsPage: r.RowsPage
  rowsState: r.RowsState
  rowsEnded: r.RowsEnded
}

export type BodyType = keyof Bodies
export type BodyOf<Type extends BodyType> = { [Key in Type]: { readonly type: Key; readonly value: Bodies[Key] } }[Type]
export type Body = BodyOf<BodyType>

/** A body from its parts, where the type is not known until run time. */
export function bodyOf<Type extends BodyType>(type: Type, value: Bodies[Type]): Body {
  return { type, value } as Body
}

/** Which reply answers which request; any of them may be answered by `error` instead. */
export interface Replies {
  ping: 'pong'
  scanBegin: 'scanAccepted'
  scanEnd: 'ack'
  searchRequest: 'searchReply'
  searchBatch: 'searchBatchReply'
  clockRequest: 'clockReply'
  statusRequest: 'statusReply'
  rescanRequest: 'rescanReply'
  flushRequest: 'flushReply'
  compactRequest: 'compactReply'
  importRequest: 'importReply'
  openBatch: 'openReply'
  forgetRequest: 'forgetReply'
  liveOpen: 'liveReply'
  statisticsRequest: 'statisticsReply'
  sizesRequest: 'sizesReply'
  rowSearchRequest: 'rowSearchReply'
  healthRequest: 'healthReply'
  statsRequest: 'statsReply'
  shutdownRequest: 'shutdownReply'
  tapRequest: 'tapReply'
  databasesRequest: 'databasesReply'
  rowsSubscribe: 'rowsSubscribed'
}
export type RequestType = keyof Replies

export const REPLY_TYPES: Replies = {
  ping: 'pong',
  scanBegin: 'scanAccepted',
  scanEnd: 'ack',
  searchRequest: 'searchReply',
  searchBatch: 'searchBatchReply',
  clockRequest: 'clockReply',
  statusRequest: 'statusReply',
  rescanRequest: 'rescanReply',
  flushRequest: 'flushReply',
  compactRequest: 'compactReply',
  importRequest: 'importReply',
  openBatch: 'openReply',
  forgetRequest: 'forgetReply',
  liveOpen: 'liveReply',
  statisticsRequest: 'statisticsReply',
  sizesRequest: 'sizesReply',
  rowSearchRequest: 'rowSearchReply',
  healthRequest: 'healthReply',
  statsRequest: 'statsReply',
  shutdownRequest: 'shutdownReply',
  tapRequest: 'tapReply',
  databasesRequest: 'databasesReply',
  rowsSubscribe: 'rowsSubscribed',
}

export interface Envelope {
  /** Correlates a reply with its request; 0: no reply belongs to it. */
  readonly requestId: number
  /** Instance id of the sender. */
  readonly sender: string
  /** Milliseconds that are left for the answer, counted from arrival; 0: no deadline. */
  readonly deadlineMs: number
  /** Only with a fragment that is not the last. */
  readonly moreFragments?: boolean
  readonly body: Body
}

type WireEnvelope = hotpath.v1.Envelope.$Properties
type Codecs = { [Key in BodyType]: FieldCodec<Bodies[Key], NonNullable<WireEnvelope[Key]>> }

const codecs: Codecs = {
  hello: handshake.hello,
  welcome: handshake.welcome,
  refused: handshake.refused,
  error: handshake.errorReply,
  fragment: handshake.fragment,
  cancel: handshake.cancel,
  ping: handshake.empty,
  pong: handshake.empty,
  bye: handshake.bye,
  scanBegin: ingest.scanBegin,
  scanAccepted: ingest.scanAccepted,
  entryBatch: ingest.entryBatch,
  scanProgress: ingest.scanProgress,
  scanEnd: ingest.scanEnd,
  changeBatch: ingest.changeBatch,
  ack: ingest.ack,
  scanCommand: ingest.scanCommand,
  cancelScan: ingest.cancelScan,
  barrier: ingest.barrier,
  barrierDone: ingest.barrierDone,
  watchState: ingest.watchState,
  listCommand: ingest.listCommand,
  watchCommand: ingest.watchCommand,
  unwatchCommand: ingest.unwatchCommand,
  watchReport: ingest.watchReport,
  checkCommand: ingest.checkCommand,
  checkBatch: ingest.checkBatch,
  checkEnd: ingest.checkEnd,
  cancelCheck: ingest.cancelCheck,
  journalReached: ingest.journalReached,
  searchRequest: query.searchRequest,
  searchReply: query.searchReply,
  searchBatch: query.searchBatch,
  searchBatchReply: query.searchBatchReply,
  clockRequest: handshake.empty,
  clockReply: query.clockReply,
  statusRequest: handshake.empty,
  statusReply: query.statusReply,
  rescanRequest: query.rootRequest,
  rescanReply: query.rescanReply,
  flushRequest: query.rootRequest,
  flushReply: query.flushReply,
  compactRequest: query.rootRequest,
  compactReply: query.compactReply,
  importRequest: query.importRequest,
  importReply: query.importReply,
  openBatch: query.openBatch,
  openReply: query.openReply,
  forgetRequest: query.forgetRequest,
  forgetReply: query.forgetReply,
  liveOpen: query.liveOpen,
  liveReply: query.liveReply,
  liveChange: query.liveChange,
  liveResync: query.liveResync,
  liveAck: query.liveName,
  liveClose: query.liveName,
  statisticsRequest: handshake.empty,
  statisticsReply: query.statisticsReply,
  sizesRequest: query.sizesRequest,
  sizesReply: query.sizesReply,
  rowSearchRequest: query.rowSearchRequest,
  rowSearchReply: query.rowSearchReply,
  event: events.event,
  healthRequest: handshake.empty,
  healthReply: control.healthReply,
  statsRequest: handshake.empty,
  statsReply: control.statsReply,
  shutdownRequest: control.shutdownRequest,
  shutdownReply: handshake.empty,
  tapRequest: control.tapSwitch,
  tapReply: control.tapSwitch,
  tapCopy: control.tapCopy,
  databasesRequest: handshake.empty,
  databasesReply: rows.databasesReply,
  rowsSubscribe: rows.rowsSubscribe,
  rowsSubscribed: rows.rowsSubscribed,
  rowsCredit: rows.rowsCredit,
  rowsUnsubscribe: rows.rowsName,
  rowsPart: rows.rowsPart,
  rowsReset: rows.rowsReset,
  rowsPage: rows.rowsPage,
  rowsState: rows.rowsState,
  rowsEnded: rows.rowsEnded,
}

/** Every name of a body. */
export const BODY_TYPES = Object.keys(codecs) as BodyType[]

const MORE_FRAGMENTS = 1

function put<Type extends BodyType>(envelope: WireEnvelope, type: Type, value: Bodies[Type]): void {
  envelope[type] = codecs[type].toWire(value, type)
}

function take<Type extends BodyType>(envelope: WireEnvelope, type: Type): BodyOf<Type> {
  return { type, value: codecs[type].fromWire(envelope[type] ?? null, type) } as BodyOf<Type>
}

function checkRequestId(requestId: number): number {
  if (!Number.isInteger(requestId) || requestId < 0 || requestId > 0xffffffff)
    throw new InvalidInputError('requestId', 'an integer of 32 bits', String(requestId))
  return requestId
}

/** Bytes of one message. Throws InvalidInputError where a value breaks the contract. */
export function encodeEnvelope(envelope: Envelope): Uint8Array {
  const message: WireEnvelope = {
    protocolVersion: PROTOCOL_VERSION,
    requestId: checkRequestId(envelope.requestId),
    sender: envelope.sender,
    deadlineMs: envelope.deadlineMs,
    flags: envelope.moreFragments ? MORE_FRAGMENTS : 0,
  }
  put(message, envelope.body.type, envelope.body.value)
  return encodeWire(message)
}

/**
 * The checked content of one message. Columns are views of `bytes`. Throws UnsupportedVersionError for another version
 * and InvalidInputError for everything else that breaks the contract; never anything else.
 */
export function decodeEnvelope(bytes: Uint8Array): Envelope {
  if (bytes.byteLength > MAX_REPLY_BYTES)
    throw new InvalidInputError('envelope', `at most ${MAX_REPLY_BYTES} bytes`, `${bytes.byteLength} bytes`)
  const message = parse(bytes)
  if (message.protocolVersion !== PROTOCOL_VERSION)
    throw new UnsupportedVersionError('the protocol of the peer', message.protocolVersion, String(PROTOCOL_VERSION))
  if (!(message.deadlineMs >= 0 && message.deadlineMs < Number.POSITIVE_INFINITY))
    throw new InvalidInputError('envelope.deadlineMs', 'milliseconds', String(message.deadlineMs))
  if (message.sender.length > MAX_ID_BYTES)
    throw new InvalidInputError('envelope.sender', `at most ${MAX_ID_BYTES} characters`, `${message.sender.length}`)
  const type = message.body
  if (type === undefined) throw new InvalidInputError('envelope.body', 'a known body', 'none')
  const moreFragments = message.flags === MORE_FRAGMENTS
  if (message.flags !== 0 && !(moreFragments && type === 'fragment'))
    throw new InvalidInputError('envelope.flags', 'known flags', String(message.flags))
  const body = guarded('envelope', () => take(message, type))
  return {
    requestId: message.requestId,
    sender: message.sender,
    deadlineMs: message.deadlineMs,
    ...(moreFragments ? { moreFragments } : {}),
    body,
  }
}

function parse(bytes: Uint8Array) {
  return guarded('envelope', () => wire.Envelope.decode(bytes))
}

/** Throws InvalidInputError where the request breaks the contract: for senders that put several into one message. */
export function checkSearchRequest(request: q.SearchRequest): void {
  query.searchRequest.toWire(request, 'searchRequest')
}
