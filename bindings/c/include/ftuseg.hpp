// ftuseg for C++17: what ftuseg.h offers, with handles that free themselves and errors that are exceptions.
//
//     ftuseg::engine engine({{"threads", "4"}});
//     ftuseg::result result = engine.segment("slide.svs");
//     for (const ftuseg_object &object : result.objects()) { ... }
//
// Everything is defined here; nothing but libftuseg is linked. A function of ftuseg.h that has no counterpart here takes
// `get()` of the object. An exception that leaves a progress function cancels the work and comes out of `segment`.
#ifndef FTUSEG_HPP
#define FTUSEG_HPP

#include <ftuseg.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace ftuseg {

// What a failed call says of itself: `what()` with all causes, and its kind as code and as word.
class error : public std::runtime_error {
  public:
    explicit error(ftuseg_status status)
        : std::runtime_error(ftuseg_last_error()), status_(status), kind_(ftuseg_last_error_kind()) {}
    ftuseg_status status() const noexcept { return status_; }
    const std::string &kind() const noexcept { return kind_; }

  private:
    ftuseg_status status_;
    std::string kind_;
};

namespace detail {

inline void check(ftuseg_status status) {
    if (status != FTUSEG_STATUS_OK) {
        throw error(status);
    }
}

template <typename T, void (*free_handle)(T *)> struct deleter {
    void operator()(T *handle) const noexcept { free_handle(handle); }
};

template <typename T, void (*free_handle)(T *)> using handle = std::unique_ptr<T, deleter<T, free_handle>>;

// A text of the library, as the caller's own.
inline std::string take(char *text, std::size_t length) {
    handle<char, ftuseg_string_free> owner(text);
    return std::string(text, length);
}

} // namespace detail

// Cancels work from another thread.
class cancel {
  public:
    cancel() {
        ftuseg_cancel *made = nullptr;
        detail::check(ftuseg_cancel_new(&made));
        handle_.reset(made);
    }
    void raise() const noexcept { ftuseg_cancel_raise(handle_.get()); }
    const ftuseg_cancel *get() const noexcept { return handle_.get(); }

  private:
    detail::handle<ftuseg_cancel, ftuseg_cancel_free> handle_;
};

// What is wanted of one slide; see ftuseg_request. `progress` returns false to cancel.
struct request {
    std::string id;
    std::string organ;
    double mpp = 0;
    ftuseg_rect region = {0, 0, 0, 0};
    std::function<bool(std::uint64_t done, std::uint64_t planned)> progress;
    const class cancel *cancel = nullptr;
};

// A segmented slide. Texts and corners that it lends hold as long as it does.
class result {
  public:
    explicit result(ftuseg_result *owned) : handle_(owned) {}
    const ftuseg_result *get() const noexcept { return handle_.get(); }

    ftuseg_slide_info slide() const {
        ftuseg_slide_info info = FTUSEG_SLIDE_INFO_INIT;
        detail::check(ftuseg_result_slide(get(), &info));
        return info;
    }
    std::vector<std::string> warnings() const {
        std::vector<std::string> all;
        for (std::size_t i = 0; i < ftuseg_result_warning_count(get()); i++) {
            const char *text = nullptr;
            detail::check(ftuseg_result_warning(get(), i, nullptr, &text));
            all.emplace_back(text);
        }
        return all;
    }
    std::vector<ftuseg_organ> organs() const {
        return all<ftuseg_organ>(ftuseg_result_organ_count, ftuseg_result_organ);
    }
    std::vector<ftuseg_object> objects() const {
        return all<ftuseg_object>(ftuseg_result_object_count, ftuseg_result_object);
    }
    // Corners of one ring, x and y in turn, `second` of them.
    std::pair<const std::uint32_t *, std::size_t> ring(std::size_t object, std::size_t ring) const {
        const std::uint32_t *corners = nullptr;
        std::size_t count = 0;
        detail::check(ftuseg_result_object_ring(get(), object, ring, &corners, &count));
        return {corners, count};
    }
    double measurement(std::size_t object, const char *name) const {
        double value = 0;
        detail::check(ftuseg_result_measurement(get(), object, name, &value));
        return value;
    }
    ftuseg_organ_map organ_map() const {
        ftuseg_organ_map map = FTUSEG_ORGAN_MAP_INIT;
        detail::check(ftuseg_result_organ_map(get(), &map));
        return map;
    }
    std::vector<std::uint8_t> organ_cells() const {
        const ftuseg_organ_map map = organ_map();
        std::vector<std::uint8_t> cells(std::size_t(map.columns) * map.rows);
        detail::check(ftuseg_result_organ_cells(get(), cells.data(), cells.size()));
        return cells;
    }
    std::vector<std::uint8_t> labels(ftuseg_rect rect, std::uint32_t level = 0) const {
        std::vector<std::uint8_t> out(std::size_t(rect.width) * rect.height);
        detail::check(ftuseg_result_read_labels(get(), rect, level, out.data(), out.size(), 0));
        return out;
    }
    std::string geojson() const {
        char *text = nullptr;
        std::size_t length = 0;
        detail::check(ftuseg_result_geojson(get(), &text, &length));
        return detail::take(text, length);
    }
    // Of all organs, or of one by its name.
    std::string rle(const char *organ = nullptr) const {
        char *text = nullptr;
        std::size_t length = 0;
        detail::check(ftuseg_result_rle(get(), organ, &text, &length));
        return detail::take(text, length);
    }
    void write_mask(const std::string &path) const { detail::check(ftuseg_result_write_mask(get(), path.c_str())); }

  private:
    template <typename T>
    std::vector<T> all(ftuseg_status (*count_of)(const ftuseg_result *, std::size_t *),
                       ftuseg_status (*fill)(const ftuseg_result *, std::size_t, T *)) const {
        std::size_t count = 0;
        detail::check(count_of(get(), &count));
        std::vector<T> found(count, ftuseg_sized<T>());
        for (std::size_t i = 0; i < count; i++) {
            detail::check(fill(get(), i, &found[i]));
        }
        return found;
    }

    detail::handle<ftuseg_result, ftuseg_result_free> handle_;
};

// A bundle of networks on a runtime; many threads may use it at once.
class engine {
  public:
    // Options by name, as for ftuseg_options_set. `log` gets lines for people while the engine is made.
    explicit engine(const std::vector<std::pair<std::string, std::string>> &options = {},
                    const std::function<void(const char *)> &log = {}) {
        ftuseg_options *made = nullptr;
        detail::check(ftuseg_options_new(&made));
        detail::handle<ftuseg_options, ftuseg_options_free> owner(made);
        for (const auto &[name, value] : options) {
            detail::check(ftuseg_options_set(made, name.c_str(), value.c_str()));
        }
        logged say{log, nullptr};
        ftuseg_engine *built = nullptr;
        const ftuseg_status status = ftuseg_engine_new(made, log ? &logged::call : nullptr, &say, &built);
        handle_.reset(built);
        if (say.thrown) {
            std::rethrow_exception(say.thrown);
        }
        detail::check(status);
    }
    const ftuseg_engine *get() const noexcept { return handle_.get(); }
    std::string runtime() const { return ftuseg_engine_runtime(get()); }
    std::string bundle() const { return ftuseg_engine_bundle(get()); }

    result segment(const std::string &path, const request &wanted = {}) const {
        return run(wanted, [&](const ftuseg_request *request, ftuseg_result **made) {
            return ftuseg_segment_file(get(), path.c_str(), request, made);
        });
    }
    // The px stay where they are; `pixels.size` is set here.
    result segment(ftuseg_pixels pixels, const request &wanted = {}) const {
        pixels.size = sizeof pixels;
        return run(wanted, [&](const ftuseg_request *request, ftuseg_result **made) {
            return ftuseg_segment_pixels(get(), &pixels, request, made);
        });
    }

  private:
    struct logged {
        const std::function<void(const char *)> &log;
        std::exception_ptr thrown;

        static void call(const char *line, void *user) noexcept {
            auto *self = static_cast<logged *>(user);
            if (!self->thrown) {
                try {
                    self->log(line);
                } catch (...) {
                    self->thrown = std::current_exception();
                }
            }
        }
    };

    struct watched {
        const request &wanted;
        std::exception_ptr thrown;

        // Never called twice at once, so nothing needs a lock.
        static std::int32_t call(std::uint64_t done, std::uint64_t planned, void *user) noexcept {
            auto *self = static_cast<watched *>(user);
            if (self->thrown) {
                return 1;
            }
            try {
                return self->wanted.progress(done, planned) ? 0 : 1;
            } catch (...) {
                self->thrown = std::current_exception();
                return 1;
            }
        }
    };

    template <typename F> result run(const request &wanted, F segment) const {
        watched watch{wanted, nullptr};
        ftuseg_request request = FTUSEG_REQUEST_INIT;
        request.id = wanted.id.empty() ? nullptr : wanted.id.c_str();
        request.organ = wanted.organ.empty() ? nullptr : wanted.organ.c_str();
        request.mpp = wanted.mpp;
        request.region = wanted.region;
        if (wanted.progress) {
            request.progress = &watched::call;
            request.user = &watch;
        }
        request.cancel = wanted.cancel ? wanted.cancel->get() : nullptr;
        ftuseg_result *made = nullptr;
        const ftuseg_status status = segment(&request, &made);
        detail::handle<ftuseg_result, ftuseg_result_free> owner(made);
        if (watch.thrown) {
            std::rethrow_exception(watch.thrown);
        }
        detail::check(status);
        return result(owner.release());
    }

    detail::handle<ftuseg_engine, ftuseg_engine_free> handle_;
};

} // namespace ftuseg

#endif // FTUSEG_HPP
