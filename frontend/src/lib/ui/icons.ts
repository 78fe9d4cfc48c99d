import ArrowDown from '@lucide/svelte/icons/arrow-down'
import ArrowLeft from '@lucide/svelte/icons/arrow-left'
import ArrowRight from '@lucide/svelte/icons/arrow-right'
import ArrowUp from '@lucide/svelte/icons/arrow-up'
import ArrowUpDown from '@lucide/svelte/icons/arrow-up-down'
import Bell from '@lucide/svelte/icons/bell'
import Camera from '@lucide/svelte/icons/camera'
import Check from '@lucide/svelte/icons/check'
import ChevronDown from '@lucide/svelte/icons/chevron-down'
import ChevronRight from '@lucide/svelte/icons/chevron-right'
import CircleCheck from '@lucide/svelte/icons/circle-check'
import CircleDashed from '@lucide/svelte/icons/circle-dashed'
import CirclePause from '@lucide/svelte/icons/circle-pause'
import Copy from '@lucide/svelte/icons/copy'
import Ellipsis from '@lucide/svelte/icons/ellipsis'
import Equal from '@lucide/svelte/icons/equal'
import File from '@lucide/svelte/icons/file-text'
import Files from '@lucide/svelte/icons/files'
import Folder from '@lucide/svelte/icons/folder'
import FolderPlus from '@lucide/svelte/icons/folder-plus'
import Hand from '@lucide/svelte/icons/hand'
import History from '@lucide/svelte/icons/history'
import House from '@lucide/svelte/icons/house'
import Image from '@lucide/svelte/icons/image'
import Info from '@lucide/svelte/icons/info'
import KeyRound from '@lucide/svelte/icons/key-round'
import Keyboard from '@lucide/svelte/icons/keyboard'
import Link from '@lucide/svelte/icons/link'
import Monitor from '@lucide/svelte/icons/monitor'
import MonitorSmartphone from '@lucide/svelte/icons/monitor-smartphone'
import OctagonAlert from '@lucide/svelte/icons/octagon-alert'
import Pause from '@lucide/svelte/icons/pause'
import Pencil from '@lucide/svelte/icons/pencil'
import Play from '@lucide/svelte/icons/play'
import Plus from '@lucide/svelte/icons/plus'
import QrCode from '@lucide/svelte/icons/qr-code'
import ScanSearch from '@lucide/svelte/icons/scan-search'
import Search from '@lucide/svelte/icons/search'
import Settings from '@lucide/svelte/icons/settings'
import Shield from '@lucide/svelte/icons/shield'
import ShieldCheck from '@lucide/svelte/icons/shield-check'
import Trash from '@lucide/svelte/icons/trash-2'
import TriangleAlert from '@lucide/svelte/icons/triangle-alert'
import Undo from '@lucide/svelte/icons/undo-2'
import Wifi from '@lucide/svelte/icons/wifi'
import X from '@lucide/svelte/icons/x'

export const icons = {
  'arrow-down': ArrowDown, 'arrow-left': ArrowLeft, 'arrow-right': ArrowRight, 'arrow-up': ArrowUp,
  'arrow-up-down': ArrowUpDown, bell: Bell, camera: Camera, check: Check, 'chevron-down': ChevronDown, 'chevron-right': ChevronRight, 'circle-check': CircleCheck,
  'circle-dashed': CircleDashed, 'circle-pause': CirclePause, copy: Copy, ellipsis: Ellipsis, equal: Equal, file: File,
  files: Files, folder: Folder, 'folder-plus': FolderPlus, hand: Hand, history: History, house: House,
  image: Image, info: Info, 'key-round': KeyRound, keyboard: Keyboard, link: Link, monitor: Monitor, devices: MonitorSmartphone,
  'octagon-alert': OctagonAlert, pause: Pause, pencil: Pencil, play: Play, plus: Plus, 'qr-code': QrCode,
  'scan-search': ScanSearch, search: Search, settings: Settings, shield: Shield, 'shield-check': ShieldCheck, trash: Trash,
  'triangle-alert': TriangleAlert, undo: Undo, wifi: Wifi, x: X,
} as const

export type IconName = keyof typeof icons
