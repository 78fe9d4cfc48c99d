import { mount } from 'svelte'
import './styles/tokens.css'
import './styles/base.css'
import './styles/more.css'
import App from './App.svelte'
import { enterByAddress } from './lib/app/entrance.svelte'
import { joinWindow } from './lib/app/window'

await enterByAddress()
joinWindow()
mount(App, { target: document.body })
