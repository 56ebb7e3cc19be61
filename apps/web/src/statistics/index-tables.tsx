import type { GatewayStatus } from '@hotpath/client/browser'
import type { HitCommands } from '../app/commands.js'
import { describeDelay, formatCount, formatSize, formatUptime } from '../text/format.js'
import { PlainText } from '../text/plain-text.js'
import { Icon } from '../ui/icons.js'
import { Figure } from './figure.js'

/** What is indexed and how it is followed, and the processes that do it. */
export function IndexTables({ status, commands }: { readonly status: GatewayStatus; readonly commands: HitCommands }) {
  return (
    <>
      <Figure id="roots" title="Roots" className="wide">
        <div className="table-box">
          <table>
            <thead>
              <tr>
                <th scope="col">Path</th>
                <th scope="col">State</th>
                <th scope="col">Followed by</th>
                <th scope="col">Entries</th>
                <th scope="col">Segments</th>
                <th scope="col">Index</th>
              </tr>
            </thead>
            <tbody>
              {status.roots.map(root => (
                <tr key={root.id}>
                  <th scope="row">
                    <PlainText text={root.path} />
                  </th>
                  <td className="text-cell">
                    <span className="pill" data-state={root.fresh.state} title={describeDelay(root.fresh)}>
                      {root.scan === null ? root.fresh.state : `reading, ${formatCount(root.scan.entries)}`}
                    </span>
                  </td>
                  <td className="text-cell">{root.mechanism}</td>
                  <td>{formatCount(root.entries)}</td>
                  <td>{formatCount(root.segments)}</td>
                  <td>{formatSize(root.indexBytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      </Figure>
      <Figure id="stages" title="Processes" note={`hotpath ${status.version}`} className="wide">
        <div className="table-box">
          <table>
            <thead>
              <tr>
                <th scope="col">Process</th>
                <th scope="col">State</th>
                <th scope="col">Id</th>
                <th scope="col">Running</th>
                <th scope="col">Memory</th>
                <th scope="col">Restarts</th>
              </tr>
            </thead>
            <tbody>
              {status.stages.map(stage => (
                <tr key={`${stage.stage} ${stage.pid}`}>
                  <th scope="row">{stage.stage}</th>
                  <td className="text-cell">{stage.state}</td>
                  <td>{stage.pid}</td>
                  <td>{formatUptime(stage.uptimeMs)}</td>
                  <td>{stage.memoryBytes === null ? '–' : formatSize(stage.memoryBytes)}</td>
                  <td>{formatCount(stage.restarts)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <div className="card-actions">
          <button type="button" onClick={() => void commands.forgetAll()}>
            <Icon name="forget" /> Forget everything that was opened
          </button>
        </div>
      </Figure>
    </>
  )
}
