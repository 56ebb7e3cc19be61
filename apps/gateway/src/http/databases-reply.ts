import { type DatabaseInfo, formatCursor } from '@hotpath/protocol'

export interface DatabaseReply extends Omit<DatabaseInfo, 'cursor'> {
  readonly cursor: string | null
  readonly sequence: number | null
}

export function databasesReply(databases: readonly DatabaseInfo[]): { readonly databases: readonly DatabaseReply[] } {
  return {
    databases: databases.map(({ cursor, ...rest }) => ({
      ...rest,
      cursor: cursor ? formatCursor(cursor) : null,
      sequence: cursor ? cursor.sequence : null,
    })),
  }
}

const SERIES: readonly (readonly [string, 'gauge', (database: DatabaseInfo) => number])[] = [
  ['live', 'gauge', ({ state }) => (state === 'live' ? 1 : 0)],
  ['sequence', 'gauge', ({ cursor }) => cursor?.sequence ?? 0],
  ['lag_seconds', 'gauge', ({ lagMs }) => lagMs / 1_000],
  ['subscribers', 'gauge', ({ subscribers }) => subscribers],
  ['log_bytes', 'gauge', ({ logBytes }) => logBytes],
]

/** Lines for a scrape, of the databases of the configuration: what a client has followed makes no series. */
export function databaseSeries(databases: readonly DatabaseInfo[]): string {
  const configured = databases.filter(({ adHoc }) => !adHoc)
  if (configured.length === 0) return ''
  return SERIES.map(([series, type, figure]) => {
    const name = `hotpath_database_${series}`
    const lines = configured.map(one => `${name}{database="${labelText(one.name)}"} ${figure(one)}\n`)
    return `# TYPE ${name} ${type}\n${lines.join('')}`
  }).join('')
}

/** As the text format of Prometheus wants it. */
function labelText(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')
}
