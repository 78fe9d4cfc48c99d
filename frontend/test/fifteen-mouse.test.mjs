// The first fifteen minutes with the mouse.
import { tell } from './fifteen.mjs'
import { inside } from './inside.mjs'

if (inside(import.meta.url, 'the first fifteen minutes, with the mouse')) tell('mouse')
