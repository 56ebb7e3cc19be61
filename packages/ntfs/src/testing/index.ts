export { ChangingImage } from './changing-image.js'
export { FIXTURES, type Fixture, readFixture, readStreams } from './fixture.js'
export { linesOf } from './listing-lines.js'
