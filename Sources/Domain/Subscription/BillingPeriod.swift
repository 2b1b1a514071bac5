package import Kernel

/// When what a customer has paid for ends: at 00:00 UTC of the anchor's day of the month.
///
/// In a month that is too short for that day it is the month's last, and the next month has the day again: anchored on
/// January 31st, periods end on February 28th, March 31st, April 30th.
package enum BillingPeriod {
    /// The end of the period that a moment is in: the first end after it, never the moment itself.
    package static func end(after moment: Timestamp, anchor: Timestamp) -> Timestamp {
        let anchorDay = CivilDate(anchor).day
        let today = CivilDate(moment)
        let here = CivilDate(year: today.year, month: today.month, day: anchorDay).clamped.midnight
        if here > moment { return here }
        let (year, month) = today.month == 12 ? (today.year + 1, 1) : (today.year, today.month + 1)
        return CivilDate(year: year, month: month, day: anchorDay).clamped.midnight
    }
}

/// A day of the Gregorian calendar, in UTC.
struct CivilDate: Equatable {
    var year: Int
    var month: Int
    var day: Int

    init(year: Int, month: Int, day: Int) {
        (self.year, self.month, self.day) = (year, month, day)
    }

    /// The day that a moment is on.
    ///
    /// Years are counted from March, so that the leap day is the last one, in eras of 400 years, which all have 146,097
    /// days (the Gregorian rule, ISO 8601-1:2019, 4.2.1).
    init(_ moment: Timestamp) {
        let days = Self.floor(Int(moment.microseconds), by: Self.microsecondsPerDay) + Self.daysBeforeEpoch
        let era = Self.floor(days, by: 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * marchMonth + 2) / 5 + 1
        month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }

    /// The same day, or the last of a month that does not have it.
    var clamped: CivilDate {
        CivilDate(year: year, month: month, day: min(day, Self.length(of: month, in: year)))
    }

    /// The moment at which the day begins.
    var midnight: Timestamp {
        let marchYear = month <= 2 ? year - 1 : year
        let era = Self.floor(marchYear, by: 400)
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        let days = era * 146_097 + dayOfEra - Self.daysBeforeEpoch
        return Timestamp(microseconds: Int64(days * Self.microsecondsPerDay))
    }

    private static func length(of month: Int, in year: Int) -> Int {
        switch month {
        case 2: year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400)) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func floor(_ value: Int, by divisor: Int) -> Int {
        value >= 0 ? value / divisor : (value - divisor + 1) / divisor
    }

    private static let microsecondsPerDay = 86_400_000_000
    /// From 0000-03-01 to 1970-01-01.
    private static let daysBeforeEpoch = 719_468
}
