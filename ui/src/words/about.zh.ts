// What is said of the phone itself and of newer versions.
import type { about as english } from './about.en';

export const about: typeof english = {
  title: '关于',
  version: (version) => `版本 ${version}`,
  look: '检查新版本',
  looking: '正在检查新版本…',
  current: '已是最新版本。',
  unknown: '每天检查一次新版本。',
  off: '新版本由管理员提供。',
  available: (version) => `有新版本 ${version}。`,
  byOthers: '请从管理员或获取本软件的地方取得。',
  whatIsNew: '更新内容',
  fetch: '下载',
  fetching: (percent) => `正在下载：${percent}`,
  ready: (version) => `版本 ${version} 已可安装。`,
  install: '立即安装',
  notInCall: '通话结束后即可安装。',
  installing: '安装程序已启动，电话可能会关闭。',
  replaced: '新版本已就位，下次启动电话时生效。',
  later: '以后再说',
};
