/** Plain data, which another process can open a client with. Credentials are found by the SDK's own chain. */
export interface S3Access {
  /** Instead of AWS's own. */
  readonly endpoint?: string;
  /** The SDK's choice (`AWS_REGION`, the profile's) when left out; `us-east-1` where there is an endpoint. */
  readonly region?: string;
  /** `https://host/bucket` rather than `https://bucket.host`. */
  readonly pathStyle?: boolean;
}
