import { ProcessWriter } from './process-writer.js'

const PROGRAM = `
import json, sqlite3, sys, time
connections = {}
def tagged(value):
    if value is None: return None
    if isinstance(value, int): return {'i': str(value)}
    if isinstance(value, float): return {'r': value.hex()}
    if isinstance(value, bytes): return {'b': value.hex()}
    return {'t': value}
def plain(value):
    if value is None: return None
    (kind, text), = value.items()
    return {'i': int, 'r': float.fromhex, 'b': bytes.fromhex, 't': str}[kind](text)
def run(command):
    kind, name = command['kind'], command['name']
    if kind == 'open':
        connections[name] = sqlite3.connect(command['path'], timeout=command['timeout'], isolation_level=None)
        return []
    if kind == 'close':
        connections.pop(name).close()
        return []
    if kind == 'many':
        timings = []
        for sql in command['sql']:
            if isinstance(sql, (int, float)):
                time.sleep(sql)
                continue
            begin = time.perf_counter()
            connections[name].execute(sql)
            timings.append([time.time() * 1000, (time.perf_counter() - begin) * 1000])
        return timings
    cursor = connections[name].execute(command['sql'], [plain(value) for value in command['values']])
    return [[tagged(value) for value in row] for row in cursor.fetchall()]
for line in sys.stdin:
    try:
        answer = {'rows': run(json.loads(line))}
    except Exception as error:
        answer = {'error': str(error)}
    print(json.dumps(answer), flush=True)
`

/** Writes by Python's sqlite3. */
export class PythonWriter extends ProcessWriter {
  constructor() {
    super('python3', ['-c', PROGRAM])
  }

  /** Statements one after the other; a number waits so many seconds. Of each statement when it ended (ms since 1970), and how long it took (ms). */
  async many(sql: readonly (string | number)[], name = 'main'): Promise<[number, number][]> {
    return (await this.ask({ kind: 'many', name, sql })) as [number, number][]
  }
}
