import { instantText } from '@hotpath/model'
import { escapeBytesForTerminal } from '@hotpath/service'
import type { ClientFlags, CommandContext } from '../context.js'
import { type HitFormat, jsonFormat, ndjsonFormat } from '../output/hit-format.js'
import { search } from './search.js'

export interface OpensFlags extends ClientFlags {
  readonly limit?: number
  readonly json?: boolean
  readonly ndjson?: boolean
}

/**
 * `hotpath opens`: what was opened, as far as it is indexed, the last first: when, how often, which. With --json and --ndjson as
 * `search` prints hits. Returns 1 if there is nothing.
 */
export async function opens(flags: OpensFlags, context: CommandContext): Promise<number> {
  const format = flags.json ? jsonFormat() : flags.ndjson ? ndjsonFormat() : lineOfOpens(context.isTerminal)
  return search('runcount:>=1', { ...flags, offset: 0, sort: 'opened-desc', color: 'never' }, context, format)
}

/** Time, count and path with tabs between; the path to the byte, or what a terminal cannot obey. */
function lineOfOpens(isTerminal: boolean): HitFormat {
  return {
    begin: () => '',
    hit({ path, opened, opens }) {
      const facts = `${instantText(opened) ?? ''}\t${opens}\t`
      if (isTerminal) return `${facts}${escapeBytesForTerminal(path)}\n`
      return Buffer.concat([Buffer.from(facts), path, Buffer.from('\n')])
    },
    end: () => '',
  }
}
