export { FakeDatabase, FakeDatabases } from './fake-databases.js'
