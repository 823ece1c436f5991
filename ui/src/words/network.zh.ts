// How servers on the web are reached.
import type { network as en } from './network.en';

export const network: typeof en = {
  title: '网络',
  lead: '话机如何连接 PBX 的网页接口、WSS 上的 SIP 以及新版本。语音以及 UDP、TCP 和 TLS 上的 SIP 从不经过网络代理。',
  webProxy: '网络代理',
  ways: { system: '按系统设置', none: '不使用，直接连接', address: '使用此地址' },
  address: '代理地址',
  addressHint: 'http:// 或 socks5://，然后是主机和端口。如果代理要求用户名和密码，由管理员在此计算机的策略中设置。',
  save: '使用此代理',
  noScripts: '不读取代理脚本（PAC、自动发现）。',
};
