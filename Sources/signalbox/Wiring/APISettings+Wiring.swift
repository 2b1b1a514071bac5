internal import Platform
internal import Server

extension APISettings {
    /// What the settings of the process say of the API.
    ///
    /// - Throws: ``ConfigurationError`` when the files of the web page cannot be served.
    init(_ settings: Settings) throws(ConfigurationError) {
        self.init(
            host: settings.host,
            port: settings.port,
            allowedOrigins: settings.origins,
            secure: settings.names.rootScheme == "https",
            limits: settings.limits
        )
        traceRatio = settings.tracing?.ratio ?? 0
        if settings.servesOlderRoutes { olderDomain = settings.names.rootDomain }
        guard let folder = settings.page else { return }
        do throws(StaticFiles.Failure) {
            files = try StaticFiles(folder: folder)
        } catch {
            throw ConfigurationError(problems: ["STATIC_DIR is not usable: \(error)"])
        }
    }
}
