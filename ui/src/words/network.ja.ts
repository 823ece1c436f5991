// How servers on the web are reached.
import type { network as en } from './network.en';

export const network: typeof en = {
  title: 'ネットワーク',
  lead: 'PBX の Web インターフェース、WSS 経由の SIP、新しいバージョンへの接続方法です。音声と、UDP・TCP・TLS の SIP は Web プロキシを通りません。',
  webProxy: 'Web プロキシ',
  ways: { system: 'システムの設定に従う', none: '使わずに直接接続する', address: '次のアドレス' },
  address: 'プロキシのアドレス',
  addressHint: 'http:// または socks5:// に続けてホストとポートを入力します。名前とパスワードが必要な場合は、管理者がこのコンピューターのポリシーで設定します。',
  save: 'このプロキシを使う',
  noScripts: 'プロキシスクリプト（PAC、自動検出）は読み込みません。',
};
