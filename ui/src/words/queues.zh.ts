// 关于队列的文字。
import type { queues as english } from './queues.en';

export const queues: typeof english = {
  title: '队列',
  standing: { ready: '就绪', paused: '暂停', wrapUp: '话后处理', inCall: '通话中', loggedOut: '已登出', unknown: '未知' },
  choices: { ready: '准备接听', paused: '暂停', loggedOut: '登出' },
  saving: '正在保存…',
};
