// What is said after a crash.
import type { restart as en } from './restart.en';

export const restart: typeof en = { said: '电话在出错后已重新启动。', see: '查看报告', dismiss: '关闭' };
