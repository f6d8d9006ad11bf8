/** Starts the page. */
import { render } from 'preact'

function App() {
  return <main>Rookery</main>
}

const root = document.getElementById('app')
if (root !== null) render(<App />, root)
