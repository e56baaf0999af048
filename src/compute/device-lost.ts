/** The card answers no more, after an error that it doesn't get over before the process ends. The message says what happened. */
export class DeviceLost extends Error {
  override readonly name = 'DeviceLost';
}

/** What `body` gives; its error as `DeviceLost` where the addon says that it is one. */
export async function lossNamed<Result>(body: Promise<Result>): Promise<Result> {
  try {
    return await body;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'CUDA_DEVICE_LOST') {
      throw new DeviceLost(error.message, { cause: error });
    }
    throw error;
  }
}
