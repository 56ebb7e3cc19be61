export { FIXTURES, type Fixture, readFixture } from './fixture.js'
export { linesOf } from './listing-lines.js'
