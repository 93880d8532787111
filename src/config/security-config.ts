/** Who is asked about clients: typed where it is used, by `security`. */
export {
  type DynamicSecurityConfig,
  type FilePluginConfig,
  type HttpAuthConfig,
  type JwtConfig,
  type ModulePluginConfig,
  NO_SECURITY,
  type ScramConfig,
  type SecurityConfig,
  type SecurityPlugin,
} from "../security/index.ts";
