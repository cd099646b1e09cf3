/** The domain of our google.rpc.ErrorInfo, in which its codes are unique. */
export const errorDomain = 'containarium';
