internal import Glibc

/// Files of the archive, by their names in its folder.
enum Files {
    /// Removes a file, if it is there.
    static func remove(_ name: String, in folder: String) throws(ArchiveError) {
        guard unlink(folder + "/" + name) == 0 || errno == ENOENT else {
            throw .file(.missing("\(folder)/\(name) cannot be removed (\(String(cString: strerror(errno))))"))
        }
        try sync(folder)
    }

    /// Gives a whole file its name, and has the disk keep that.
    static func rename(_ draft: String, to name: String, in folder: String) throws(ArchiveError) {
        guard Glibc.rename(folder + "/" + draft, folder + "/" + name) == 0 else {
            throw .file(.missing("\(folder)/\(name) cannot be written (\(String(cString: strerror(errno))))"))
        }
        try sync(folder)
    }

    static func exist(_ name: String, in folder: String, size: Int64) -> Bool {
        var status = stat()
        return stat(folder + "/" + name, &status) == 0 && Int64(status.st_size) == size
    }

    /// Has the disk keep which names a folder holds.
    private static func sync(_ folder: String) throws(ArchiveError) {
        let handle = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard handle >= 0 else {
            throw .file(.missing("\(folder) cannot be opened (\(String(cString: strerror(errno))))"))
        }
        defer { close(handle) }
        guard fsync(handle) == 0 else {
            throw .file(.missing("\(folder) cannot be written (\(String(cString: strerror(errno))))"))
        }
    }
}
